// SPDX-License-Identifier: BSD-3-Clause
//
// The templates of table.hpp, which includes this. A read that succeeds makes one call besides libpq's and allocates
// nothing but what its type needs; all that a failure costs is out of line.

#pragma once

#include "sheaf/table.hpp"
#include "sheaf/wire.hpp"

#include <string>
#include <string_view>
#include <type_traits>

namespace sheaf {

template <class T>
decoding table::read(std::size_t row, std::size_t column, T& x) const {
  static_assert(readable<T>, "not a type that a cell can be read as: see table::try_get");
  cell where;
  return locate(row, column, where) ? decode(where, x) : decoding::no_cell;
}

template <class T>
result<T> table::try_get(std::size_t row, std::size_t column) const {
  T x{};
  if (const auto status = read(row, column, x); status != decoding::ok) [[unlikely]]
    return explain(status, row, column, cxx_name<T>::get());
  return x;
}

template <class T>
result<T> table::try_get(std::size_t row, std::string_view column) const {
  if (const auto index = index_of(column); index != columns())
    return try_get<T>(row, index);
  return explain_name(row, column, cxx_name<T>::get());
}

template <class T>
void table::fail(decoding why, std::size_t row, std::size_t column) const {
  throw error(explain(why, row, column, cxx_name<T>::get()));
}

template <class T>
T table::get(std::size_t row, std::size_t column) const {
  T x{};
  if (const auto status = read(row, column, x); status != decoding::ok) [[unlikely]]
    fail<T>(status, row, column);
  return x;
}

template <class T>
T table::get(std::size_t row, std::string_view column) const {
  if (const auto index = index_of(column); index != columns())
    return get<T>(row, index);
  throw error(explain_name(row, column, cxx_name<T>::get()));
}

template <class T>
T table::scalar() const {
  if (rows() == 1 && columns() == 1)
    return get<T>(0, 0);
  throw error(explain_scalar(cxx_name<T>::get()));
}

/// For CAF messages. Printing one (CAF logs messages) shows its size alone.
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, table& x) {
  if constexpr (std::is_void_v<typename Inspector::result_type>)
    f(std::to_string(x.rows()) + " rows of " + std::to_string(x.columns()));
  else if constexpr (Inspector::reads_state)
    return wire::save(f, x);
  else
    return wire::load(f, x);
}

} // namespace sheaf
