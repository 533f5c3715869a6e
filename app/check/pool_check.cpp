// SPDX-License-Identifier: BSD-3-Clause

#include "app/check/pool_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace sheaf::app {

namespace {

/// Sessions that something may use at once.
constexpr auto any_number = std::numeric_limits<std::size_t>::max();

std::size_t added(std::size_t a, std::size_t b) { return a > any_number - b ? any_number : a + b; }

std::size_t multiplied(std::size_t a, std::size_t b) { return a > any_number / b ? any_number : a * b; }

/// Counts the sessions of one database that are used at once.
class usage {
public:
  usage(const sheaf_file& file, const database_options& of) : file_(file), database_(of) {}

  std::size_t most() const {
    std::size_t n = 0;
    for (const auto& r : file_.requests)
      n = std::max(n, of(r));
    for (const auto& s : file_.scenarios)
      n = std::max(n, multiplied(of(s.steps), s.load.client_count()));
    return n;
  }

private:
  std::size_t of(const request_spec& r) const {
    std::size_t n = 0;
    for (const auto& q : r.queries)
      if (file_.database_of(q.query) == &database_)
        n = added(n, q.for_each ? any_number : 1);
    return r.settings.width > 0 ? std::min(n, r.settings.width) : n;
  }

  /// Steps come one after another, but for those of `parallel`.
  std::size_t of(const std::vector<step_spec>& steps) const {
    std::size_t n = 0;
    for (const auto& x : steps)
      if (const auto* all = std::get_if<parallel_step>(&x.kind)) {
        std::size_t together = 0;
        for (const auto& y : all->steps)
          together = added(together, of(std::vector{y}));
        n = std::max(n, together);
      } else if (const auto* again = std::get_if<repeat_step>(&x.kind)) {
        n = std::max(n, of(again->steps));
      } else if (const auto* both = std::get_if<compare_step>(&x.kind)) {
        n = std::max(n, of_request(both->request.request));
      } else if (const auto* one = std::get_if<request_step>(&x.kind)) {
        n = std::max(n, of_request(one->request));
      }
    return n;
  }

  std::size_t of_request(const std::string& name) const {
    const auto* r = file_.find_request(name);
    return r ? of(*r) : any_number;
  }

  const sheaf_file& file_;
  const database_options& database_;
};

} // namespace

std::vector<finding> large_pools_in(const sheaf_file& file) {
  std::vector<finding> found;
  for (std::size_t i = 0; i < file.databases.size(); ++i) {
    const auto& d = file.databases[i];
    const auto most = usage{file, d}.most();
    if (most > 0 && d.pool.max_size > most && d.pool.max_size != pool_options{}.max_size)
      found.push_back(
          {finding::severity::warning, file.databases_at[i],
           fmt::format(
               "pool.max_size of {} is {}, and a request or scenario of this file, run by itself, uses {} at most",
               d.name, d.pool.max_size, most == 1 ? "1 session" : fmt::format("{} sessions", most))});
  }
  return found;
}

} // namespace sheaf::app
