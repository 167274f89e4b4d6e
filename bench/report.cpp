#include "report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace fermata::bench {

double Figure::at(double quantile) const {
  if (values.empty()) return 0;
  std::vector<double> sorted = values;
  std::sort(sorted.begin(), sorted.end());
  const auto last = static_cast<double>(sorted.size() - 1);
  return sorted[static_cast<std::size_t>(std::lround(quantile * last))];
}

void Report::add(const std::string& section, const std::string& name, const std::string& unit, double value) {
  const auto known = std::find_if(figures_.begin(), figures_.end(),
                                  [&](const Figure& each) { return each.section == section && each.name == name; });
  if (known != figures_.end()) {
    known->values.push_back(value);
  } else {
    figures_.push_back({section, name, unit, {value}});
  }
}

double Report::median(const std::string& section, const std::string& name) const {
  for (const Figure& figure : figures_) {
    if (figure.section == section && figure.name == name) return figure.at(0.5);
  }
  return 0;
}

std::string Report::table() const {
  std::string text = fmt::format("{:<56} {:>12} {:>12} {:>12}  {}\n", "", "min", "median", "max", "unit");
  std::string section;
  for (const Figure& figure : figures_) {
    if (figure.section != section) text += fmt::format("{}\n", section = figure.section);
    text += fmt::format("  {:<54} {:>12.4g} {:>12.4g} {:>12.4g}  {}\n", figure.name, figure.at(0), figure.at(0.5),
                        figure.at(1), figure.unit);
  }
  return text;
}

std::string Report::json() const {
  std::string text = "[";
  for (const Figure& figure : figures_) {
    text += fmt::format(
        R"({}{{"section":"{}","name":"{}","unit":"{}","min":{:.6g},"median":{:.6g},"max":{:.6g},"repeats":{}}})",
        text.size() == 1 ? "\n" : ",\n", figure.section, figure.name, figure.unit, figure.at(0), figure.at(0.5),
        figure.at(1), figure.values.size());
  }
  return text + "\n]\n";
}

}  // namespace fermata::bench
