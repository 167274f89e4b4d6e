#include <fermata/value.hpp>

namespace fermata {

const Value* find_path(const Map& map, std::string_view dotted_path) {
  const Map* level = &map;
  for (;;) {
    const std::size_t dot = dotted_path.find('.');
    const auto found = level->find(dotted_path.substr(0, dot));
    if (found == level->end()) return nullptr;
    if (dot == std::string_view::npos) return &found->second;
    level = found->second.if_a<Map>();
    if (level == nullptr) return nullptr;
    dotted_path.remove_prefix(dot + 1);
  }
}

}  // namespace fermata
