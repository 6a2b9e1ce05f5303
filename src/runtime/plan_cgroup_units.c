/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup v1's units in cgroup v2's.
 *
 * CPU: v1's shares are 2 … 262144 with 1024 in the middle, v2's weight 1 … 10000 with 100. The
 * straight line that runtimes used for years made 1024 a weight of 39, so that one busy container
 * outweighed the host's own services or the other way round; since 2025 runc and crun agree on the
 * curve through the three points: weight = 10^((l² + 125 l) / 612 − 7/34), l = log2(shares). log2
 * and the power are written out here, so that no program needs libm for one line; both are exact to
 * far more than the rounding needs.
 */
#include "runtime/plan.h"

/* log2 of x >= 1. */
static double log2_of(double x)
{
    double whole = 0;
    while (x >= 2) {
        x /= 2;
        whole++;
    }
    /* ln(x) = 2 artanh((x-1)/(x+1)), with |y| <= 1/3 */
    double y = (x - 1) / (x + 1), power = y, sum = 0;
    for (int i = 1; i < 60; i += 2) {
        sum += power / i;
        power *= y * y;
    }
    return whole + 2 * sum / 0.693147180559945309417;
}

/* 10^x for 0 <= x <= 5. */
static double pow10_of(double x)
{
    double whole = 1;
    while (x >= 1) {
        x -= 1;
        whole *= 10;
    }
    double y = x * 2.302585092994045684018, term = 1, sum = 1;
    for (int i = 1; i < 40; i++) {
        term *= y / i;
        sum += term;
    }
    return whole * sum;
}

uint64_t plan_cpu_weight(uint64_t shares)
{
    if (shares <= 2)
        return 1;
    if (shares >= 262144)
        return 10000;
    double l = log2_of((double)shares);
    double weight = pow10_of((l * l + 125 * l) / 612 - 7.0 / 34);
    uint64_t floor = (uint64_t)weight;
    return weight - (double)floor > 1e-6 ? floor + 1 : floor; /* rounded up, as the peers do */
}

uint64_t plan_io_weight(uint64_t blkio_weight)
{
    if (blkio_weight <= 10)
        return 1;
    if (blkio_weight >= 1000)
        return 10000;
    return 1 + (blkio_weight - 10) * 9999 / 990;
}
