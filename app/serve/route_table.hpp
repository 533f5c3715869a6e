// SPDX-License-Identifier: BSD-3-Clause
//
// The paths and their meanings. Immutable; any thread.

#pragma once

#include "app/file/sheaf_file.hpp"

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sheaf::app::serve {

enum class action : std::uint8_t { page, health, ready, metrics, openapi, catalogue, events, run };

struct route {
  std::string pattern; ///< For metrics: `/requests/total_books`.
  action act = action::page;
  std::size_t index = 0; ///< The index of the file's request, or of the page's file.
  bool is_open = false;  ///< Needs no token: a probe, or the page itself, which holds nothing.
  std::size_t number = 0;

  bool takes_post() const noexcept { return act == action::run; }
  std::string_view allowed() const noexcept { return takes_post() ? "GET, HEAD, POST, OPTIONS" : "GET, HEAD, OPTIONS"; }
};

class route_table {
public:
  /// `shortcuts` are paths such as `/total_books` for requests of that name.
  route_table(const sheaf_file& file, const std::vector<std::string>& shortcuts);

  /// Null for a path that there is not.
  const route* find(std::string_view path) const;

  /// Patterns by number; one more stands for paths without a route.
  std::vector<std::string> patterns() const;
  std::size_t size() const noexcept { return routes_.size(); }

private:
  void add(route x);

  struct hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::unordered_map<std::string, route, hash, std::equal_to<>> routes_;
};

} // namespace sheaf::app::serve
