// SPDX-License-Identifier: BSD-3-Clause
//
// What the peers on nothing but libpq and epoll share: connections with prepared statements, decoding, and loops, each
// a thread with its share of the connections and of the clients.

#pragma once

#include "workload.hpp"

#include <libpq-fe.h>

#include <endian.h>

#include <cstring>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace bench {

using result_ptr = std::unique_ptr<PGresult, decltype(&PQclear)>;

template <class T>
T big_endian(const char* bytes) {
  T x;
  std::memcpy(&x, bytes, sizeof x);
  if constexpr (sizeof x == 4)
    return static_cast<T>(be32toh(static_cast<std::uint32_t>(x)));
  else
    return static_cast<T>(be64toh(static_cast<std::uint64_t>(x)));
}

/// Both columns of the lookup's row.
inline std::uint64_t decode_world(const PGresult* r) {
  return static_cast<std::uint64_t>(big_endian<std::int32_t>(PQgetvalue(r, 0, 0))) +
         static_cast<std::uint64_t>(big_endian<std::int32_t>(PQgetvalue(r, 0, 1)));
}

/// An open connection. Throws std::runtime_error with libpq's words, as all of these do.
class raw_connection {
public:
  explicit raw_connection(const std::string& conninfo) : conn(PQconnectdb(conninfo.c_str())) {
    if (PQstatus(conn) != CONNECTION_OK) {
      const std::runtime_error why{PQerrorMessage(conn)};
      PQfinish(conn);
      throw why;
    }
    PQsetNoticeProcessor(
        conn, [](void*, const char*) {}, nullptr); // one that ends it is in the error as well
  }
  ~raw_connection() { PQfinish(conn); }
  raw_connection(const raw_connection&) = delete;
  raw_connection& operator=(const raw_connection&) = delete;

  void prepare(const char* name, const std::string& sql) const {
    const result_ptr r{PQprepare(conn, name, sql.c_str(), 0, nullptr), PQclear};
    if (PQresultStatus(r.get()) != PGRES_COMMAND_OK)
      throw std::runtime_error(PQresultErrorMessage(r.get()));
  }

  PGconn* const conn;
};

/// Runs `how.loops` of `Loop`, which is made of the options, the window, a number of connections and its clients.
template <class Loop>
void run_loops(const run_options& how, const window& w, std::vector<client>& clients) {
  std::vector<std::unique_ptr<Loop>> loops;
  for (std::size_t i = 0; i < how.loops; ++i) {
    std::vector<client*> mine;
    for (std::size_t c = i; c < clients.size(); c += how.loops)
      mine.push_back(&clients[c]);
    const auto connections = how.pool / how.loops + (i < how.pool % how.loops ? 1 : 0);
    loops.push_back(std::make_unique<Loop>(how, w, connections, mine));
  }
  std::vector<std::thread> threads;
  std::vector<std::exception_ptr> failures(how.loops);
  for (std::size_t i = 0; i < how.loops; ++i)
    threads.emplace_back([&, i] {
      try {
        loops[i]->run();
      } catch (...) { // thrown again below, on the caller's thread
        failures[i] = std::current_exception();
      }
    });
  for (auto& t : threads)
    t.join();
  for (const auto& f : failures)
    if (f)
      std::rethrow_exception(f);
}

} // namespace bench
