// SPDX-License-Identifier: BSD-3-Clause
//
// The runs of all peers, and their results: the same statements, the same random ids, the same clock.

#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

using clock = std::chrono::steady_clock;

enum class workload { sleep, count, world, wide, mixed, tasks, sqlite };

struct run_options {
  std::string peer = "sheaf";
  workload load = workload::world;
  std::size_t n = 20, pool = 16, concurrency = 8, loops = 2;
  double seconds = 5;
  std::string conninfo;
  std::string pack = "auto"; ///< `auto`, `never` or `always`; of sheaf alone.
};

std::optional<workload> workload_named(std::string_view name);
std::string_view name_of(workload w);

/// The statement of query `index` of `n`: `mixed` ends with a slow one.
bool is_slow(workload w, std::size_t index, std::size_t n);

/// The lookup, with `:id` for sheaf; raw writes `$1::int4`.
inline constexpr std::string_view world_sql = "select id, randomnumber from world where id = ";
inline constexpr std::string_view wide_sql = "select * from book order by id limit 10000";
inline constexpr std::string_view count_sql = "select count(*) from book";
inline constexpr std::string_view sleep_sql = "select pg_sleep(0.2)";
inline constexpr std::string_view slow_sql = "select pg_sleep(0.02)";

/// 1..10000, the same sequence for the same seed.
class random_ids {
public:
  explicit random_ids(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15u + 1) {}
  std::int32_t next() noexcept {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::int32_t>((state_ >> 33) % 10000 + 1);
  }

private:
  std::uint64_t state_;
};

/// One of the C requests in flight, with what it measured. Touched by one loop at a time.
struct client {
  explicit client(std::uint64_t seed) : ids(seed) {}

  random_ids ids;
  clock::time_point began{};
  std::vector<float> latencies_us;       ///< Of requests.
  std::vector<float> short_latencies_us; ///< Of short queries, from the request's start; `world` and `mixed` only.
  std::size_t packed = 0;                ///< Queries that shared a session with others of their request.
};

/// The measured part of a run: the answers that count, and the time to stop.
struct window {
  clock::time_point from, until;
  bool counts(clock::time_point t) const noexcept { return t >= from && t < until; }
};

/// Runs the peer until `w.until`. Throws std::runtime_error with one clear line when a query fails.
void run_sheaf(const run_options& how, const window& w, std::vector<client>& clients);
void run_raw(const run_options& how, const window& w, std::vector<client>& clients);
void run_pipeline(const run_options& how, const window& w, std::vector<client>& clients); ///< `world` only.
void run_loop(const run_options& how, const window& w, std::vector<client>& clients);     ///< `sqlite` only.

/// So that the compiler does not skip decoding.
inline std::atomic<std::uint64_t> sink{0};

} // namespace bench
