#include "transfer/transfer.h"
int transfer_load(const struct transfer_job *job, struct cl_json **ret_answer, struct cl_error *err)
{
    (void)job;
    (void)ret_answer;
    return cl_fail(err, ENOSYS, "load");
}
