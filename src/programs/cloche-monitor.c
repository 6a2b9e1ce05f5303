/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloche-monitor: the supervisor of one container. `cloche-monitor FD` is executed by the process that created the container, never by a
 * person: FD is the number of a memfd that holds a struct wire_setup (wire/setup.h). All work is room monitor's.
 *
 * Links no stdio, so that its idle memory stays small; what it has to say when started by hand is written plainly.
 */
#include "base/base.h"
#include "monitor/monitor.h"

static int complain(const char *text)
{
    static const char name[] = "cloche-monitor: ";
    (void)cl_write_full(STDERR_FILENO, name, sizeof name - 1);
    (void)cl_write_full(STDERR_FILENO, text, strlen(text));
    (void)cl_write_full(STDERR_FILENO, "\n", 1);
    return 125;
}

int main(int argc, char **argv)
{
    uint64_t fd = 0;
    const char *problem = "";
    if (argc != 2 || cl_parse_u64(argv[1], 3, INT32_MAX, &fd) < 0)
        return complain("started by cloche for each container, not by hand; see cloche(1)");
    struct wire_setup setup = { 0 };
    ssize_t size = pread((int)fd, &setup, sizeof setup, 0);
    if (size < 0)
        return complain("its descriptor holds no setup: it is started by cloche, not by hand");
    if (wire_setup_check(&setup, (size_t)size, &problem) < 0) {
        complain("its setup is not valid; are cloche and cloche-monitor of one version?");
        return complain(problem);
    }
    return monitor_run(&setup);
}
