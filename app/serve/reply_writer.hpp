// SPDX-License-Identifier: BSD-3-Clause
//
// A reply as one JSON object, written a piece at a time, so that a large one is never held twice. One thread at a time.

#pragma once

#include "app/serve/row_writer.hpp"

#include "sheaf/request.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::app::serve {

class reply_writer {
public:
  /// `databases` has the name of each query's, in their order. `written` is a query whose rows are out already, by
  /// `rows`, behind what `begin` gave.
  reply_writer(reply got, std::vector<std::string> databases, row_writer rows, std::optional<std::size_t> written = {});

  /// The text before the result that is written first, when that is done before the reply is there.
  static std::string begin(std::string_view name);

  /// Appends to `out` until it has `bytes_max` bytes or a row more, or all is written: then true.
  bool write(std::string& out, std::size_t bytes_max);

  /// Bytes of all values of the reply. Adds them up: takes time for large ones.
  std::size_t value_bytes() const noexcept;

private:
  enum class part : std::uint8_t { head, results, errors, timing, done };

  bool write_result(std::string& out, const outcome& x, std::size_t bytes_max);
  void write_error(std::string& out, const outcome& x) const;
  void write_timing(std::string& out) const;
  std::string& begin_member(std::string& out, std::string_view name);

  const reply reply_;
  const std::vector<std::string> databases_;
  const std::optional<std::size_t> written_;
  row_writer rows_;
  part part_ = part::head;
  std::size_t outcome_ = 0, row_ = 0;
  bool any_ = false, within_ = false; ///< A member stands already; a result's head is written.
};

/// False for a result that has not the one value that `shape=scalar` takes: one row with one column, or the number of
/// rows that a command without rows has changed.
bool fits_shape(const table& x, answer_shape shape) noexcept;

/// Bounds what is kept of one request for the page: some 50 KiB.
inline constexpr std::size_t timeline_queries_max = 256;

/// The queries' times as JSON: `{"elapsed_ms", "overlap", "session", "queries": [{"name", "times", "attempts", …}],
/// "left_out"}`. `times` is what an answer's `timing` has; with a failure there is its `code`, and its `detail` where
/// the database's words may be told; else the number of `rows`, or of `affected_rows`.
std::string timeline_of(const reply& got, const std::vector<std::string>& databases, bool on_shared_session,
                        bool tells_details);

/// For the Server-Timing field: `db;dur=12.3, overlap;desc="2.52 queries at once"`.
std::string server_timing(const reply& got);

} // namespace sheaf::app::serve
