// SPDX-License-Identifier: BSD-3-Clause

#include "support/counting.hpp"

#include <malloc.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
/// The sanitizers' allocator, whose header GCC does not have.
extern "C" std::size_t __sanitizer_get_current_allocated_bytes(); // NOLINT(bugprone-reserved-identifier)
#endif

namespace sheaf::test {

namespace {

namespace fs = std::filesystem;

/// The number of descriptors that lead to a target that `counts`. The one that reads the folder is among them.
template <class Predicate>
std::size_t count_descriptors(Predicate counts) {
  return static_cast<std::size_t>(
      std::count_if(fs::directory_iterator{"/proc/self/fd"}, fs::directory_iterator{}, [&](const auto& entry) {
        std::error_code gone;
        return counts(fs::read_symlink(entry, gone).string());
      }));
}

} // namespace

std::size_t open_descriptors() {
  return count_descriptors([](const std::string&) { return true; }) - 1;
}

std::size_t descriptors_of(std::string_view path) {
  return count_descriptors([path](const std::string& target) { return target == path; });
}

std::size_t allocated_bytes() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return __sanitizer_get_current_allocated_bytes();
#else
  const auto all = ::mallinfo2();
  return all.uordblks + all.hblkhd;
#endif
}

std::size_t peak_memory_bytes() {
  std::ifstream status{"/proc/self/status"};
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:"))
      return std::stoul(line.substr(line.find_first_of("0123456789"))) * 1024;
  throw std::runtime_error("no VmHWM in /proc/self/status");
}

void forget_peak_memory() {
  std::ofstream{"/proc/self/clear_refs"} << 5; // proc(5)
}

} // namespace sheaf::test
