// Spin-wave modes of one magnet at many wavevectors: the kernel of ../magnons.h for a device.
//
// Launches, of which all but the last have a grid of (…, blocks of the Hamiltonian); where no block has more than four rows
//
//     sw_magnons_small      a thread a wavevector: everything
//
// and else
//
//     sw_magnons_reduce_T   a team of T threads a wavevector: Hamiltonian, Cholesky, congruence, tridiagonal form
//     sw_magnons_ql         a thread a wavevector: eigenvalues, and the turns that lead to them
//     sw_magnons_finish_T   a team a wavevector: eigenvectors from those turns, back-transform, amplitudes, S⊥
//
// and then
//
//     sw_magnons_write      a warp a wavevector, over all blocks: modes in ascending energy
//
// Every sum has a fixed order, whatever else runs: the same bits every time.
#include "magnons_block.cuh"
#include "magnons_small.cuh"

template <class Team, bool spills>
__device__ __forceinline__ void reduce(const sw_magnon_device_problem &p, double *shared) {
    const sw_magnon_device_block block = p.blocks[blockIdx.y];
    const sw_magnon_reduce_layout at = sw_magnon_lay_out_reduce(block.size, block.in_quadratures, Team::size);
    const int64_t teams = blockDim.x / Team::size, member = threadIdx.x / Team::size;
    double *room = spills ? p.spill + ((int64_t)blockIdx.y * gridDim.x + blockIdx.x) * p.spill_stride : shared;
    room += member * at.total;
    const Team team(room + at.scratch);
    for (int64_t slot = blockIdx.x * teams + member; slot < p.slot_count; slot += gridDim.x * teams) {
        const int64_t point = point_of(p, slot);
        const Passage passage(p, blockIdx.y, slot);
        reduce_block(team, p, blocks_of(p, point)[blockIdx.y], at, room, passage, point);
        team.sync();
    }
}

template <class Team, bool spills>
__device__ __forceinline__ void finish(const sw_magnon_device_problem &p, double *shared) {
    const sw_magnon_device_block block = p.blocks[blockIdx.y];
    if (block.modes == 0) return;
    const sw_magnon_vector_layout at =
        sw_magnon_lay_out_vectors(block.size, block.modes, block.in_quadratures, p.intensities ? p.orbit_count : 0, Team::size);
    const int64_t teams = blockDim.x / Team::size, member = threadIdx.x / Team::size;
    double *room = spills ? p.spill + ((int64_t)blockIdx.y * gridDim.x + blockIdx.x) * p.spill_stride : shared;
    room += member * at.total;
    const Team team(room + at.scratch);
    for (int64_t slot = blockIdx.x * teams + member; slot < p.slot_count; slot += gridDim.x * teams) {
        const int64_t point = point_of(p, slot);
        const Passage passage(p, blockIdx.y, slot);
        finish_block(team, p, blocks_of(p, point)[blockIdx.y], at, room, passage, slot, point);
        team.sync();
    }
}

// More than four blocks of 128 threads find no room for their matrices: so many registers may each have.
SW_KERNEL __launch_bounds__(128, 4) sw_magnons_reduce_8(const sw_magnon_device_problem p) {
    SW_DYNAMIC_SHARED(double, shared);
    reduce<Lanes<8>, false>(p, shared);
}
SW_KERNEL __launch_bounds__(128, 4) sw_magnons_reduce_16(const sw_magnon_device_problem p) {
    SW_DYNAMIC_SHARED(double, shared);
    reduce<Lanes<16>, false>(p, shared);
}
SW_KERNEL __launch_bounds__(64, 8) sw_magnons_reduce_32(const sw_magnon_device_problem p) {
    SW_DYNAMIC_SHARED(double, shared);
    reduce<Lanes<32>, false>(p, shared);
}
SW_KERNEL __launch_bounds__(64, 8) sw_magnons_reduce_64(const sw_magnon_device_problem p) {
    SW_DYNAMIC_SHARED(double, shared);
    reduce<Block<64>, false>(p, shared);
}
SW_KERNEL __launch_bounds__(128, 4) sw_magnons_reduce_128(const sw_magnon_device_problem p) {
    SW_DYNAMIC_SHARED(double, shared);
    reduce<Block<128>, false>(p, shared);
}
SW_KERNEL __launch_bounds__(128, 4) sw_magnons_reduce_spill(const sw_magnon_device_problem p) {
    SW_DYNAMIC_SHARED(double, shared);
    reduce<Block<128>, true>(p, shared);
}

SW_KERNEL __launch_bounds__(128, 4) sw_magnons_finish_8(const sw_magnon_device_problem p) {
    SW_DYNAMIC_SHARED(double, shared);
    finish<Lanes<8>, false>(p, shared);
}
SW_KERNEL __launch_bounds__(128, 4) sw_magnons_finish_16(const sw_magnon_device_problem p) {
    SW_DYNAMIC_SHARED(double, shared);
    finish<Lanes<16>, false>(p, shared);
}
SW_KERNEL __launch_bounds__(64, 8) sw_magnons_finish_32(const sw_magnon_device_problem p) {
    SW_DYNAMIC_SHARED(double, shared);
    finish<Lanes<32>, false>(p, shared);
}
SW_KERNEL __launch_bounds__(64, 8) sw_magnons_finish_64(const sw_magnon_device_problem p) {
    SW_DYNAMIC_SHARED(double, shared);
    finish<Block<64>, false>(p, shared);
}
SW_KERNEL __launch_bounds__(128, 4) sw_magnons_finish_128(const sw_magnon_device_problem p) {
    SW_DYNAMIC_SHARED(double, shared);
    finish<Block<128>, false>(p, shared);
}
SW_KERNEL __launch_bounds__(128, 4) sw_magnons_finish_spill(const sw_magnon_device_problem p) {
    SW_DYNAMIC_SHARED(double, shared);
    finish<Block<128>, true>(p, shared);
}

// sw_magnon_small_doubles(pitch) doubles of shared memory a thread.
SW_KERNEL __launch_bounds__(128, 3) sw_magnons_small(const sw_magnon_device_problem p) {
    SW_DYNAMIC_SHARED(double, shared);
    const int64_t slot = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (slot >= p.slot_count) return;
    const sw_magnon_device_block &block = blocks_of(p, point_of(p, slot))[blockIdx.y];
    switch (block.size) {
    case 1: solve_small<1>(p, block, slot, shared); break;
    case 2: solve_small<2>(p, block, slot, shared); break;
    case 3: solve_small<3>(p, block, slot, shared); break;
    default: solve_small<4>(p, block, slot, shared); break;
    }
}

// 2 · pitch doubles of shared memory a thread: d and e, those of neighbouring threads side by side.
SW_KERNEL __launch_bounds__(128) sw_magnons_ql(const sw_magnon_device_problem p) {
    SW_DYNAMIC_SHARED(double, shared);
    const sw_magnon_device_block block = p.blocks[blockIdx.y];
    const int64_t slot = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (slot >= p.slot_count || block.modes == 0) return;
    const Passage passage(p, blockIdx.y, slot);
    const int n = block.size, stride = (int)blockDim.x;
    double *d = shared + threadIdx.x, *e = d + n * stride;
    for (int i = 0; i < n; i++) {
        d[i * stride] = passage.d[i];
        e[i * stride] = passage.e[i];
    }
    WrittenDown turns = {p.wanted > 1 ? passage.rotations : nullptr, passage.columns, p.rotation_capacity, 0};
    *passage.rotation_count = implicit_ql(d, e, stride, n, turns) ? turns.count : -1;
    for (int i = 0; i < n; i++) passage.d[i] = d[i * stride];
}

// mode_count doubles and 2 · mode_count integers of shared memory a warp.
SW_KERNEL __launch_bounds__(128) sw_magnons_write(const sw_magnon_device_problem p) {
    SW_DYNAMIC_SHARED(double, shared);
    const int64_t warps = blockDim.x / 32, warp = threadIdx.x / 32, slot = blockIdx.x * warps + warp;
    if (slot >= p.slot_count) return;
    const Lanes<32> team(nullptr);
    const int modes = p.mode_count;
    const int64_t point = point_of(p, slot);
    const sw_magnon_device_block *blocks = blocks_of(p, point);
    bool failed = false, unconverged = false;
    int32_t pivot = 0;
    for (int b = 0; b < p.block_count; b++) {
        const sw_magnon_device_block &block = blocks[b];
        const Passage passage(p, b, slot);
        const int32_t breakdown = *passage.breakdown;
        failed = failed || breakdown != 0;
        if (pivot == 0 && breakdown != 0) pivot = breakdown > 0 ? block.first_row + breakdown : -1 - b;
        if (p.wanted > 0 && block.modes > 0) unconverged = unconverged || *passage.rotation_count < 0;
    }
    if (team.rank == 0) {
        p.status[point] = (uint8_t)((failed ? SW_MAGNON_UNSTABLE : 0)
            | (failed || p.attempt > 0 ? SW_MAGNON_REGULARISED : 0) | (unconverged ? SW_MAGNON_NOT_CONVERGED : 0));
        if (p.pivots) p.pivots[point] = pivot;
    }
    if (p.wanted == 0) return;
    double *energies = shared + 2 * warp * modes;
    int32_t *order = reinterpret_cast<int32_t *>(energies + modes), *origin = order + modes;
    for (int k = team.rank; k < modes; k += 32) {
        energies[k] = p.mode_energies[slot * modes + k];
        for (int b = 0; b < p.block_count; b++)
            if (k >= blocks[b].first_mode && k < blocks[b].first_mode + blocks[b].modes) origin[k] = b;
    }
    team.sync();
    sort(team, energies, modes, order);
    for (int rank = team.rank; rank < modes; rank += 32) {
        const int64_t from = slot * modes + order[rank], line = point * modes + rank;
        if (p.energies) p.energies[line] = energies[order[rank]];
        if (p.particles) p.particles[line] = p.mode_particles[from];
        if (p.intensities) p.intensities[line] = p.mode_intensities[from];
        if (p.velocities)
            for (int axis = 0; axis < 3; axis++) p.velocities[3 * line + axis] = p.mode_velocities[3 * from + axis];
    }
    if (!p.amplitudes) return;
    const Complex *phases = phases_of(p, point);
    for (int e = team.rank; e < modes * p.site_count; e += 32) {
        const int rank = e / p.site_count, i = e % p.site_count, mode = order[rank];
        const sw_magnon_site site = p.sites[i];
        const double *roots = p.doubles + blocks[origin[mode]].roots;
        const Complex factor =
            product(phases[site.winding], {site.scale * roots[2 * i], site.scale * roots[2 * i + 1]});
        const Complex *w = reinterpret_cast<const Complex *>(p.mode_amplitudes)
            + 2 * (p.orbit_count * (slot * modes + mode) + site.orbit);
        Complex *out = reinterpret_cast<Complex *>(p.amplitudes) + 2 * ((point * modes + rank) * p.site_count + i);
        out[0] = product(factor, w[0]);
        out[1] = product(factor, w[1]);
    }
}
