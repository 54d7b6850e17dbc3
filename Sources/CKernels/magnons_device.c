#include "magnons_device.h"

#include <string.h>

// The entries of one matrix by the elements that they add to; those of an element stay in their order, so that its sum is the
// host's.
static int64_t tabulate(
    const sw_magnon_block *block, int which, int64_t first_cell, int64_t first_entry, sw_magnon_cell *cells,
    sw_magnon_entry *entries) {
    int64_t count = 0, placed = 0;
    const sw_magnon_entry *source = block->entries[which];
    for (int64_t k = 0; k < block->entry_count[which]; k++) {
        int64_t earlier = 0;
        while (earlier < k && (source[earlier].row != source[k].row || source[earlier].column != source[k].column)) earlier++;
        if (earlier < k) continue;
        sw_magnon_cell cell = {source[k].row, source[k].column, (int32_t)(first_entry + placed), 0};
        for (int64_t m = k; m < block->entry_count[which]; m++) {
            if (source[m].row != cell.row || source[m].column != cell.column) continue;
            if (entries) entries[first_entry + placed] = source[m];
            placed++;
            cell.count++;
        }
        if (cells) cells[first_cell + count] = cell;
        count++;
    }
    return count;
}

sw_magnon_table_counts sw_magnons_tabulate(
    const sw_magnon_problem *problem, sw_magnon_table_counts before, sw_magnon_device_block *blocks, sw_magnon_cell *cells, sw_magnon_entry *entries,
    int32_t *integers, double *doubles) {
    sw_magnon_table_counts counts = before;
    counts.blocks += problem->block_count;
    int32_t mode = 0, row = 0;
    for (int64_t b = 0; b < problem->block_count; b++) {
        const sw_magnon_block *source = problem->blocks + b;
        const int64_t n = source->size;
        sw_magnon_device_block block = {
            .size = (int32_t)n, .particles = (int32_t)source->particles, .in_quadratures = source->in_quadratures};
        block.modes = source->in_quadratures ? block.size : block.particles;
        block.first_mode = mode;
        block.first_row = row;
        mode += block.modes;
        row += block.size;
        block.orbit = (int32_t)counts.integers;
        block.is_hole = block.orbit + block.size;
        if (integers) {
            memcpy(integers + block.orbit, source->orbit, sizeof(int32_t) * (size_t)n);
            memcpy(integers + block.is_hole, source->is_hole, sizeof(int32_t) * (size_t)n);
        }
        counts.integers += 2 * n;
        block.roots = (int32_t)counts.doubles;
        if (doubles) memcpy(doubles + block.roots, source->roots, sizeof(double) * 2 * (size_t)problem->site_count);
        counts.doubles += 2 * problem->site_count;
        for (int which = 0; which < (source->in_quadratures ? 2 : 1); which++) {
            block.constant[which] = (int32_t)counts.doubles;
            if (doubles)
                memcpy(doubles + counts.doubles, source->constant[which], sizeof(double) * 2 * (size_t)(n * n));
            counts.doubles += 2 * n * n;
            block.cells[which] = (int32_t)counts.cells;
            block.cell_count[which] =
                (int32_t)tabulate(source, which, counts.cells, counts.entries, cells, entries);
            counts.cells += block.cell_count[which];
            counts.entries += source->entry_count[which];
        }
        if (blocks) blocks[before.blocks + b] = block;
    }
    return counts;
}
