/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Room wire: the messages that our own processes exchange, each protocol drawn as a table in its header. Pure data: formats, parses and
 * checks bytes; opens and sends nothing. Uses base.
 */
#pragma once

#include "wire/attach.h"
#include "wire/init.h"
#include "wire/setup.h"
#include "wire/state.h"
#include "wire/transfer.h"
