// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/options.hpp"

#include "sheaf/base/limits.hpp"
#include "sheaf/error.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sheaf {
namespace {

using namespace std::chrono_literals;

/// The first of these that there is. They are few and checked once per engine, so all are made.
std::optional<std::string> first(std::initializer_list<std::optional<std::string>> wrong) {
  const auto found = std::find_if(wrong.begin(), wrong.end(), [](const auto& x) { return x.has_value(); });
  return found == wrong.end() ? std::nullopt : *found;
}

std::optional<std::string> check(const database_options& database, std::size_t loops) {
  const auto& pool = database.pool;
  if (database.url.empty())
    return "url is empty; set it to postgresql://… or sqlite:path";
  if (database.url.find('\0') != std::string::npos)
    return "url holds a NUL character; remove it";
  if (auto wrong = first({
          limits::check("pool.max_size", pool.max_size, 1, limits::sessions_max),
          limits::check("pool.min_size", pool.min_size, 0, pool.max_size),
          limits::check("pool.max_lifetime", pool.max_lifetime, 1ns),
          limits::check("pool.idle_timeout", pool.idle_timeout, 1ns),
          limits::check("pool.keepalive_interval", pool.keepalive_interval, 1ns),
          limits::check("pool.leak_detection_threshold", pool.leak_detection_threshold.value_or(1ns), 1ns),
          limits::check("pool.max_queue_size", pool.max_queue_size, 1, limits::queue_max),
          limits::check("pool.acquire_timeout", pool.acquire_timeout, 1ns),
          limits::check("pool.connecting_limit", pool.connecting_limit, 1, limits::sessions_max),
          limits::check("statement_cache_size", database.statement_cache_size, 0, limits::statements_max),
          limits::check("cancel_wait_timeout", database.cancel_wait_timeout, 1ns),
      }))
    return wrong;
  // Each loop has its share of both, and none may be empty.
  if (pool.max_size < loops)
    return fmt::format("pool.max_size is {}, less than loops, which is {}; raise it or lower loops", pool.max_size,
                       loops);
  if (pool.max_queue_size < loops)
    return fmt::format("pool.max_queue_size is {}, less than loops, which is {}; raise it or lower loops",
                       pool.max_queue_size, loops);
  return {};
}

} // namespace

std::optional<failure> options::validate() const {
  if (databases.empty())
    return invalid_request("databases is empty; add one");
  if (auto wrong = first({
          limits::check("deadline", deadline, 1ns),
          limits::check("max_rows", max_rows, 1, limits::rows_max),
          limits::check("max_bytes", max_bytes, 1, limits::bytes_max),
          limits::check("max_pending_bytes", max_pending_bytes, 1, limits::bytes_max),
          limits::check("loops", loops, 1, limits::loops_max),
      }))
    return invalid_request(std::move(*wrong));
  for (auto d = databases.begin(); d != databases.end(); ++d) {
    if (d->name.empty())
      return invalid_request(fmt::format("name of database {} is empty; give it one", d - databases.begin() + 1));
    if (std::any_of(databases.begin(), d, [&](const auto& x) { return x.name == d->name; }))
      return invalid_request(fmt::format("name \"{}\" is given to two databases; rename one", d->name));
    if (auto wrong = check(*d, loops))
      return invalid_request(fmt::format("database \"{}\": {}", d->name, *wrong));
  }
  return {};
}

options for_database(std::string url, pool_options pool) {
  options how;
  how.databases.emplace_back();
  how.databases.back().url = std::move(url);
  how.databases.back().pool = pool;
  return how;
}

} // namespace sheaf
