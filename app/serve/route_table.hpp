// SPDX-License-Identifier: BSD-3-Clause
//
// The paths and their meanings. Immutable; any thread.

#pragma once

#include "app/file/sheaf_file.hpp"

#include "sheaf/statement.hpp"

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sheaf::app::serve {

enum class action : std::uint8_t { page, health, ready, metrics, openapi, catalogue, events, recent, explain, run };

struct route {
  std::string pattern; ///< For metrics: `/requests/total_books`.
  action act = action::page;
  std::size_t index = 0;  ///< The index of the file's request, or of the page's file.
  bool is_open = false;   ///< Needs no token: a probe, or the page itself, which holds nothing.
  bool only_post = false; ///< It may change something: a link, or a picture in a page, must not ask for it.
  std::size_t number = 0;

  bool takes_post() const noexcept { return act == action::run || act == action::explain; }
  bool takes_get() const noexcept { return !only_post; }
  std::string_view allowed() const noexcept {
    if (only_post)
      return "POST, OPTIONS";
    return takes_post() ? "GET, HEAD, POST, OPTIONS" : "GET, HEAD, OPTIONS";
  }
};

/// The most that a query of the request may do by its words. One that the file declares `read_only` is taken at its
/// word, unless it names a change.
effect effect_of(const sheaf_file& file, const request_spec& x);

/// True when a request takes POST only: the file says so, or says nothing and a query of it may change something by its
/// words (RFC 9110, section 9.2.1). Functions that it calls may, too; that is seen to when it runs.
bool takes_only_post(const sheaf_file& file, const request_spec& x);

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
