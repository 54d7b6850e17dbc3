#include "detector_image_device.h"

#include <math.h>

// Beyond this many standard deviations the normal distribution of the kernels is 0 or 1.
#define SW_REACH 5.3

// Whether any domain puts the own position (h, k), in image r.l.u., on the image or within its margin.
static int covered(const sw_image_problem *p, double h, double k, double margin_h, double margin_k) {
    for (int64_t twin = 0; twin < p->twin_count; twin++) {
        const double *m = p->twins[twin].map;
        const double x = m[0] * h + m[1] * k - p->h_edge, y = m[2] * h + m[3] * k - p->k_edge;
        if (x > -margin_h && x < (double)p->h_count * p->h_step + margin_h && y > -margin_k
            && y < (double)p->k_count * p->k_step + margin_k)
            return 1;
    }
    return 0;
}

int64_t sw_image_list_visits(const sw_image_problem *p, sw_image_visit *visits) {
    double margin_h = 0, margin_k = 0;
    for (int64_t i = 0; i < p->setting_count; i++) {
        margin_h = fmax(margin_h, p->settings[i].largest_sigma_h);
        margin_k = fmax(margin_k, p->settings[i].largest_sigma_k);
    }
    const double cell_h = 1 / ((double)p->n1 * p->scale[0]), cell_k = 1 / ((double)p->n2 * p->scale[1]);
    double spread_h = 0, spread_k = 0;
    for (int64_t i = 0; i < p->twin_count; i++) {
        const double *m = p->twins[i].map;
        spread_h = fmax(spread_h, (m[0] * m[0] * cell_h * cell_h + m[1] * m[1] * cell_k * cell_k) / 12);
        spread_k = fmax(spread_k, (m[2] * m[2] * cell_h * cell_h + m[3] * m[3] * cell_k * cell_k) / 12);
    }
    margin_h = SW_REACH * sqrt(margin_h * margin_h + spread_h * p->cell_variance);
    margin_k = SW_REACH * sqrt(margin_k * margin_k + spread_k * p->cell_variance);
    int64_t count = 0;
    for (int64_t i1 = 0; i1 < p->n1; i1++)
        for (int64_t i2 = 0; i2 < p->n2; i2++)
            for (int64_t i3 = 0; i3 < p->n3; i3++) {
                const double f1 = (double)i1 / (double)p->n1, f2 = (double)i2 / (double)p->n2;
                const int64_t first1 = (int64_t)ceil(p->h_range[0] - f1), last1 = (int64_t)floor(p->h_range[1] - f1);
                const int64_t first2 = (int64_t)ceil(p->k_range[0] - f2), last2 = (int64_t)floor(p->k_range[1] - f2);
                for (int64_t z1 = first1; z1 <= last1; z1++)
                    for (int64_t z2 = first2; z2 <= last2; z2++) {
                        const double h = f1 + (double)z1, k = f2 + (double)z2;
                        if (!covered(p, h / p->scale[0], k / p->scale[1], margin_h, margin_k)) continue;
                        if (visits)
                            visits[count] = (sw_image_visit){
                                (i1 * p->n2 + i2) * p->n3 + i3, h, k, (double)i3 / (double)p->n3};
                        count++;
                    }
            }
    return count;
}
