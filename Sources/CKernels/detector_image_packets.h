// Deposits Gaussians that were found elsewhere; part of detector_image_body.h.

static void NAME(deposit_packets)(
    const sw_image_problem *restrict p, const sw_image_packet *restrict packets, int64_t count,
    double *restrict image)
{
    const int64_t pitch = p->k_count + 8, plane = p->bin_count * p->h_count * pitch;
    for (int64_t i = 0; i < count; i++) {
        const sw_image_packet *x = packets + i;
        const sw_image_setting *s = p->settings + x->setting;
        packet g;
        g.h = x->h;
        g.k = x->k;
        g.energy = x->energy;
        g.intensity = x->intensity;
        double six[8];
        store(six, NAME(covariance)(s, g.h, g.k, g.energy));
        for (int n = 0; n < 6; n++) g.covariance[n] = six[n] + x->covariance[n];
        NAME(deposit)(p, s, &g, image + (x->twin * p->setting_count + x->setting) * plane, pitch);
    }
}
