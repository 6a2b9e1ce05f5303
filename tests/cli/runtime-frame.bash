# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The former name of runtime-helper.bash, which says what is there.
load runtime-helper
