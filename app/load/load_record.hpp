// SPDX-License-Identifier: BSD-3-Clause
//
// What came of a load: how long requests and their queries took, and what failed. One thread at a time; one for each
// event loop, merged in the end.

#pragma once

#include "app/file/sheaf_file.hpp"
#include "app/load/histogram.hpp"
#include "app/scenario/scenario_client.hpp"

#include <map>
#include <vector>

namespace sheaf::app {

/// Of one query of one request. Those that failed count too: how long they took is what their caller has waited.
struct query_record {
  histogram total;     ///< From asking for a session to the answer.
  histogram waiting;   ///< For a session.
  histogram executing; ///< From having a session to the answer; of those that got one.
  std::uint64_t errors = 0;
  std::uint64_t in_time = 0; ///< Of requests that were answered in time.
};

/// Of one request.
struct request_record {
  histogram latency; ///< From when it was sent, or, for the first one of an iteration under a rate, was due.
  std::uint64_t errors = 0;
  std::uint64_t in_time = 0;           ///< Answers that came before the measurement was over.
  std::chrono::nanoseconds work{0};    ///< Serial sums.
  std::chrono::nanoseconds elapsed{0}; ///< The same requests' times.
  std::vector<query_record> queries;   ///< As the file has them.
};

struct load_record {
  explicit load_record(const sheaf_file& file);

  /// Counts an answer to the request at `position` in the file. `from` are the `origins` of its queries.
  void add(std::size_t position, const std::vector<std::size_t>& from, const reply& got,
           std::chrono::nanoseconds latency, bool in_time);
  void add(const std::vector<checked_expectation>& checked);
  void merge(const load_record& other);

  histogram latency() const;            ///< Of all requests.
  std::uint64_t count() const noexcept; ///< Requests.
  std::uint64_t in_time() const noexcept;
  std::uint64_t errors() const noexcept;
  double speed_up() const noexcept; ///< The work of all queries over the time that requests took; 0 without any.

  std::vector<request_record> requests;  ///< As the file has them.
  std::map<errc, std::uint64_t> codes;   ///< Of requests that failed.
  std::uint64_t checked = 0, missed = 0; ///< Expectations.
  std::uint64_t not_begun = 0;           ///< Iterations that were due when all clients were busy, until it was over.
  std::map<std::string, std::uint64_t> misses; ///< Of each expectation that was missed.
};

} // namespace sheaf::app
