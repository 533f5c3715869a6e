// SPDX-License-Identifier: BSD-3-Clause
//
// Makes requests and replies messages that CAF can send to another machine. Values that only mean something in their
// own process (a C++ task and the value that it returned, `query::on_rows`) are refused with
// `caf::sec::state_not_serializable`. Any thread.

#pragma once

#include "sheaf/data/wire.hpp"
#include "sheaf/request.hpp"

#include <caf/error.hpp>
#include <caf/message.hpp>
#include <caf/meta/load_callback.hpp>
#include <caf/meta/type_name.hpp>
#include <caf/sec.hpp>

#include <cstdint>
#include <type_traits>

namespace sheaf {
namespace wire {

/// CAF prints messages through the same functions: into logs, and for those that nobody handles.
template <class Inspector>
inline constexpr bool prints = std::is_void_v<typename Inspector::result_type>;

inline caf::error not_serializable(const std::string& name, const char* why) {
  return caf::make_error(caf::sec::state_not_serializable, "query " + name + ": " + why);
}

/// An enumeration that must not pass `last`.
template <class Inspector, class T>
caf::error apply_enum(Inspector& f, T& x, T last) {
  auto number = static_cast<std::uint8_t>(x);
  return f(number, caf::meta::load_callback([&]() -> caf::error {
             if (number > static_cast<std::uint8_t>(last))
               return caf::make_error(caf::sec::invalid_argument, "an enumeration is out of its range");
             x = static_cast<T>(number);
             return caf::none;
           }));
}

template <class Inspector, class T>
caf::error apply_optional(Inspector& f, std::optional<T>& x) {
  bool there = x.has_value();
  if (auto why = f(there))
    return why;
  if (!there) {
    x.reset();
    return caf::none;
  }
  if (!x)
    x.emplace();
  return f(*x);
}

/// As `apply_optional`, in 64 bits whatever the machine.
template <class Inspector>
caf::error apply_count(Inspector& f, std::optional<std::size_t>& x) {
  std::optional<std::uint64_t> count = x;
  return caf::error::eval([&] { return apply_optional(f, count); },
                          [&]() -> caf::error {
                            x = count;
                            return caf::none;
                          });
}

} // namespace wire

/// Printing one shows nothing of it.
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, value& x) {
  if constexpr (wire::prints<Inspector>)
    f(std::string{"value"});
  else if constexpr (Inspector::reads_state)
    return wire::save(f, x);
  else
    return wire::load(f, x);
}

/// Printing one shows its size alone.
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, table& x) {
  if constexpr (wire::prints<Inspector>)
    f(std::to_string(x.rows()) + " rows of " + std::to_string(x.columns()));
  else if constexpr (Inspector::reads_state)
    return wire::save(f, x);
  else
    return wire::load(f, x);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, statement& x) {
  std::string sql = Inspector::reads_state ? x.sql() : std::string{};
  return f(caf::meta::type_name("statement"), sql, caf::meta::load_callback([&]() -> caf::error {
             x = sql.empty() ? statement{} : statement{std::move(sql)};
             return caf::none;
           }));
}

/// Printed without its parameters, which may be secret.
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, query& x) {
  if constexpr (wire::prints<Inspector>) {
    return f(caf::meta::type_name("query"), x.name, x.statement);
  } else {
    if (!Inspector::reads_state) {
      x.run = nullptr;
      x.on_rows = nullptr;
    } else if (x.run || x.on_rows) {
      return wire::not_serializable(x.name, x.run ? "a C++ task cannot leave its process"
                                                  : "on_rows cannot leave its process: take the result whole");
    }
    return caf::error::eval(
        [&] { return f(x.name, x.statement, x.parameters, x.database, x.required, x.read_only, x.no_writes); },
        [&] { return wire::apply_optional(f, x.timeout); }, [&] { return wire::apply_count(f, x.max_rows); },
        [&] { return wire::apply_count(f, x.max_bytes); },
        [&] { return wire::apply_enum(f, x.pack, packing::always); });
  }
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, request& x) {
  if constexpr (wire::prints<Inspector>) {
    return f(caf::meta::type_name("request"), x.queries);
  } else {
    std::uint64_t width = x.width, first = x.first;
    return caf::error::eval(
        [&] { return f(x.queries, width, first, x.id); }, [&] { return wire::apply_optional(f, x.deadline); },
        [&] { return wire::apply_count(f, x.max_rows); }, [&] { return wire::apply_count(f, x.max_bytes); },
        [&] { return wire::apply_enum(f, x.on_error, error_policy::first); },
        [&] { return wire::apply_enum(f, x.priority, priority::low); },
        [&] { return wire::apply_enum(f, x.pack, packing::always); },
        [&]() -> caf::error {
          x.width = width;
          x.first = first;
          return caf::none;
        });
  }
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, query_times& x) {
  return f(caf::meta::type_name("query_times"), x.queued, x.acquired, x.sent, x.first_row, x.last_row, x.released,
           x.answered);
}

/// Printed without its rows.
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, outcome& x) {
  if constexpr (wire::prints<Inspector>) {
    const auto* why = x.error_info();
    return f(caf::meta::type_name("outcome"), x.name, why ? to_string(*why) : std::string{"ok"}, x.times);
  } else {
    enum : std::uint8_t {
      rows,
      no_value,
      failed
    }; // As in `outcome::data`; of tasks' values only the empty one travels.
    const auto* value = std::get_if<std::any>(&x.data);
    if (Inspector::reads_state && value && value->has_value())
      return wire::not_serializable(x.name, "the value that a C++ task returned cannot leave its process");
    auto kind = static_cast<std::uint8_t>(x.data.index());
    if (auto why = f(x.name, x.times, x.attempts, x.notices, x.pack, kind))
      return why;
    switch (kind) {
    case rows:
      return f(x.data.index() == rows ? std::get<rows>(x.data) : x.data.template emplace<rows>());
    case no_value:
      x.data.template emplace<no_value>();
      return caf::none;
    case failed:
      return f(x.data.index() == failed ? std::get<failed>(x.data) : x.data.template emplace<failed>());
    default:
      return caf::make_error(caf::sec::invalid_argument, "an outcome of an unknown kind");
    }
  }
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, reply& x) {
  if constexpr (wire::prints<Inspector>)
    return f(caf::meta::type_name("reply"), x.outcomes, x.failure ? to_string(*x.failure) : std::string{"ok"},
             x.elapsed);
  else
    return caf::error::eval([&] { return f(x.outcomes, x.elapsed); },
                            [&] { return wire::apply_optional(f, x.failure); });
}

} // namespace sheaf
