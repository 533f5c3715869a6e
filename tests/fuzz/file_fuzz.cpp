// SPDX-License-Identifier: BSD-3-Clause
//
// Any bytes as a whole sheaf file: reading and checking it ends with findings that have a place, the same each time,
// and nothing but a file without errors can be run.

#include "app/check/file_check.hpp"
#include "app/file/file_reader.hpp"

#include <algorithm>
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

std::string shown(const std::vector<finding>& all) {
  std::string out;
  for (const auto& x : all) {
    expect(x.at.line > 0 && x.at.column > 0 && !x.message.empty());
    out += to_text(x, "f") + '\n';
    expect(!to_json(x, "f").empty());
  }
  expect(static_cast<std::size_t>(std::count(out.begin(), out.end(), '\n')) == all.size());
  return out;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text{reinterpret_cast<const char*>(data), size};
  if (text.find("/dev/") != text.npos || text.find("/proc/") != text.npos)
    return 0; // a file that it names may never end
  const auto read = read_sheaf_text(text, "/nonexistent/f.yaml", {{"NAME", "value"}});
  const auto found = shown(read.findings);
  expect(found == shown(read_sheaf_text(text, "/nonexistent/f.yaml", {{"NAME", "value"}}).findings));
  if (has_errors(read.findings))
    return 0;
  expect(!read.file.databases.empty());
  for (const auto& request : read.file.requests)
    expect(!request.queries.empty());
  shown(check_file(read.file, {{"NAME", "value"}}));
  return 0;
}
