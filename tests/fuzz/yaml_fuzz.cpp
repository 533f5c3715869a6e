// SPDX-License-Identifier: BSD-3-Clause
//
// Any bytes as a sheaf file: reading them ends with a tree within its bounds, or with a place and a reason.

#include "app/file/yaml_tree.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

using namespace sheaf::app;

void expect(bool holds) {
  if (!holds)
    std::abort();
}

std::size_t count(const yaml_node& x, std::size_t depth) {
  expect(depth <= yaml_depth_max + 1);
  expect(x.is != yaml_node::kind::map || x.keys.size() == x.values.size());
  expect(x.at.line > 0 && x.at.column > 0);
  std::size_t n = 1;
  for (const auto& value : x.values)
    n += count(value, depth + 1);
  return n;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto tree = parse_yaml({reinterpret_cast<const char*>(data), size});
  if (tree.has_value())
    expect(count(*tree, 0) <= yaml_nodes_max + 1);
  else
    expect(!tree.error().message.empty() && tree.error().at.line > 0);
  return 0;
}
