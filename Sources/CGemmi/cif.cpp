#include "CGemmi.h"

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include <gemmi/cif.hpp>

namespace {

struct Item {
    size_t line;
    std::vector<std::string> tags;
    std::vector<std::string> values;
};

struct Block {
    std::string name;
    std::vector<Item> items;
};

void refuse(char *message, size_t capacity, const char *text) {
    if (capacity > 0) std::snprintf(message, capacity, "%s", text);
}

}  // namespace

struct spinweave_cif {
    std::vector<Block> blocks;
};

extern "C" spinweave_cif *spinweave_cif_parse(
    const char *text, size_t length, char *message, size_t capacity, size_t *line) {
    namespace cif = gemmi::cif;
    *line = 0;
    try {
        const cif::Document document = cif::read_memory(text, length, "cif");
        auto result = new spinweave_cif;
        for (const cif::Block &block : document.blocks) {
            Block copy{block.name, {}};
            for (const cif::Item &item : block.items) {
                Item kept{size_t(item.line_number), {}, {}};
                if (item.type == cif::ItemType::Pair) {
                    kept.tags.push_back(item.pair[0]);
                    kept.values.push_back(cif::as_string(item.pair[1]));
                } else if (item.type == cif::ItemType::Loop) {
                    kept.tags = item.loop.tags;
                    for (const std::string &value : item.loop.values) kept.values.push_back(cif::as_string(value));
                } else {
                    continue;
                }
                copy.items.push_back(std::move(kept));
            }
            result->blocks.push_back(std::move(copy));
        }
        return result;
    } catch (const tao::pegtl::parse_error &error) {
        if (!error.positions().empty()) *line = error.positions().front().line;
        refuse(message, capacity, std::string(error.message()).c_str());
    } catch (const std::exception &error) {
        refuse(message, capacity, error.what());
    } catch (...) {
        refuse(message, capacity, "the parser failed");
    }
    return nullptr;
}

extern "C" void spinweave_cif_free(spinweave_cif *document) { delete document; }

extern "C" size_t spinweave_cif_blocks(const spinweave_cif *document) { return document->blocks.size(); }

extern "C" const char *spinweave_cif_block_name(const spinweave_cif *document, size_t block) {
    return document->blocks[block].name.c_str();
}

extern "C" size_t spinweave_cif_items(const spinweave_cif *document, size_t block) {
    return document->blocks[block].items.size();
}

extern "C" size_t spinweave_cif_line(const spinweave_cif *document, size_t block, size_t item) {
    return document->blocks[block].items[item].line;
}

extern "C" size_t spinweave_cif_tags(const spinweave_cif *document, size_t block, size_t item) {
    return document->blocks[block].items[item].tags.size();
}

extern "C" const char *spinweave_cif_tag(const spinweave_cif *document, size_t block, size_t item, size_t tag) {
    return document->blocks[block].items[item].tags[tag].c_str();
}

extern "C" size_t spinweave_cif_rows(const spinweave_cif *document, size_t block, size_t item) {
    const Item &found = document->blocks[block].items[item];
    return found.tags.empty() ? 0 : found.values.size() / found.tags.size();
}

extern "C" const char *spinweave_cif_value(
    const spinweave_cif *document, size_t block, size_t item, size_t row, size_t tag) {
    const Item &found = document->blocks[block].items[item];
    return found.values[row * found.tags.size() + tag].c_str();
}
