// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/data/pgresult_rows.hpp"

#include <charconv>
#include <cstring>

namespace sheaf {

namespace {

/// Some of libpq's getters take no const although they only read.
PGresult* mutable_pointer(const PGresult& x) noexcept { return const_cast<PGresult*>(&x); }

encoding encoding_of(const PGresult& x) noexcept {
  return PQnfields(&x) > 0 && PQfformat(&x, 0) == 1 ? encoding::binary : encoding::text;
}

/// The count at the end of a command tag such as `INSERT 0 2`.
std::uint64_t rows_in(std::string_view tag) noexcept {
  std::uint64_t x = 0;
  const auto last_word = tag.substr(tag.rfind(' ') + 1);
  std::from_chars(last_word.data(), last_word.data() + last_word.size(), x);
  return x;
}

} // namespace

libpq_rows::libpq_rows(pgresult_ptr from, column_list of) noexcept
  : table_storage(form::libpq, std::move(of)), result_(std::move(from)), encoding_(encoding_of(*result_)) {
  rows = static_cast<std::size_t>(PQntuples(result_.get()));
}

std::uint64_t libpq_rows::affected_rows() const noexcept { return rows_in(command_tag()); }

std::string_view libpq_rows::command_tag() const noexcept { return PQcmdStatus(mutable_pointer(*result_)); }

bool packed_rows::suits(const pg_result& rows) noexcept {
  constexpr std::size_t small = 4096;
  constexpr int few = 64;
  return PQntuples(&rows) <= few && PQntuples(&rows) * PQnfields(&rows) <= few && PQresultMemorySize(&rows) <= small;
}

const table_storage* packed_rows::make(const pg_result& rows, column_list of) {
  const int row_count = PQntuples(&rows), column_count = PQnfields(&rows);
  std::size_t behind = std::strlen(PQcmdStatus(mutable_pointer(rows)));
  for (int r = 0; r < row_count; ++r)
    for (int c = 0; c < column_count; ++c)
      behind += sizeof(packed_cell) + static_cast<std::size_t>(PQgetlength(&rows, r, c));
  return new (behind) packed_rows{rows, std::move(of)};
}

packed_rows::packed_rows(const pg_result& from, column_list of) noexcept
  : table_storage(form::packed, std::move(of)), encoding_(encoding_of(from)) {
  rows = static_cast<std::size_t>(PQntuples(&from));
  auto* next_cell = cells();
  auto* const begin = const_cast<char*>(bytes());
  auto* end = begin;
  const auto append = [&end](const char* data, std::size_t size) {
    std::memcpy(end, data, size);
    end += size;
  };
  for (int r = 0; r < PQntuples(&from); ++r)
    for (int c = 0; c < PQnfields(&from); ++c) {
      const int size = PQgetlength(&from, r, c);
      const bool null = size == 0 && PQgetisnull(&from, r, c);
      *next_cell++ = {static_cast<std::uint32_t>(end - begin), null ? -1 : size};
      append(PQgetvalue(&from, r, c), static_cast<std::size_t>(size));
    }
  const std::string_view tag = PQcmdStatus(mutable_pointer(from));
  tag_place_ = static_cast<std::uint32_t>(end - begin);
  tag_size_ = static_cast<std::uint32_t>(tag.size());
  append(tag.data(), tag.size());
}

std::string_view packed_rows::command_tag() const noexcept { return {bytes() + tag_place_, tag_size_}; }

std::uint64_t packed_rows::affected_rows() const noexcept { return rows_in(command_tag()); }

} // namespace sheaf
