// SPDX-License-Identifier: BSD-3-Clause
//
// The same workloads on nothing but libpq and epoll: the limit that sheaf is measured against. Each loop is a thread
// with its share of the connections and of the clients; prepared statements, binary parameters and results.

#include "raw_libpq.hpp"

#include <arpa/inet.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <bit>
#include <deque>

namespace bench {

namespace {

std::uint64_t decode(workload kind, const PGresult* r) {
  std::uint64_t sum = 0;
  if (kind == workload::wide) {
    for (int row = 0; row < PQntuples(r); ++row)
      sum += static_cast<std::uint64_t>(big_endian<std::int32_t>(PQgetvalue(r, row, 0))) +
             std::string_view(PQgetvalue(r, row, 1), static_cast<std::size_t>(PQgetlength(r, row, 1))).size() +
             std::string_view(PQgetvalue(r, row, 2), static_cast<std::size_t>(PQgetlength(r, row, 2))).size() +
             static_cast<std::uint64_t>(std::bit_cast<double>(big_endian<std::int64_t>(PQgetvalue(r, row, 3)))) +
             static_cast<std::uint64_t>(big_endian<std::int64_t>(PQgetvalue(r, row, 4)));
  } else if (kind == workload::count) {
    sum = static_cast<std::uint64_t>(big_endian<std::int64_t>(PQgetvalue(r, 0, 0)));
  } else if (kind != workload::sleep) {
    sum = decode_world(r);
  }
  return sum;
}

class raw_loop {
public:
  raw_loop(const run_options& how, const window& w, std::size_t connections, const std::vector<client*>& clients)
    : how_(how), window_(w) {
    for (std::size_t i = 0; i < connections; ++i)
      open();
    for (auto* c : clients)
      requests_.push_back({.owner = c});
  }

  ~raw_loop() { ::close(epoll_); }

  raw_loop(const raw_loop&) = delete;
  raw_loop& operator=(const raw_loop&) = delete;

  void run() {
    open_ = requests_.size();
    for (auto& r : requests_)
      begin(r);
    send_waiting();
    epoll_event events[64];
    while (open_ > 0) {
      const int n = ::epoll_wait(epoll_, events, 64, -1);
      for (int i = 0; i < n; ++i)
        read(*static_cast<connection*>(events[i].data.ptr));
    }
  }

private:
  struct open_request {
    client* owner = nullptr;
    std::size_t left = 0;
  };

  struct query {
    open_request* request = nullptr;
    std::size_t index = 0;
  };

  struct connection : raw_connection {
    using raw_connection::raw_connection;

    query current;
  };

  void open() {
    auto& c = connections_.emplace_back(how_.conninfo);
    c.prepare("main", main_sql());
    c.prepare("slow", std::string{slow_sql});
    PQsetnonblocking(c.conn, 1);
    epoll_event e{.events = EPOLLIN, .data = {.ptr = &c}};
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, PQsocket(c.conn), &e);
    idle_.push_back(&c);
  }

  std::string main_sql() const {
    switch (how_.load) {
    case workload::sleep:
      return std::string{sleep_sql};
    case workload::count:
      return std::string{count_sql};
    case workload::wide:
      return std::string{wide_sql};
    default:
      return std::string{world_sql} + "$1::int4";
    }
  }

  void begin(open_request& r) {
    r.owner->began = clock::now();
    r.left = how_.n;
    for (std::size_t i = 0; i < how_.n; ++i)
      waiting_.push_back({&r, i});
  }

  void send_waiting() {
    while (!idle_.empty() && !waiting_.empty()) {
      auto& c = *idle_.back();
      idle_.pop_back();
      c.current = waiting_.front();
      waiting_.pop_front();
      send(c);
    }
  }

  void send(connection& c) {
    const bool slow = is_slow(how_.load, c.current.index, how_.n);
    const bool has_id = !slow && (how_.load == workload::world || how_.load == workload::mixed);
    const auto id = has_id ? htonl(static_cast<std::uint32_t>(c.current.request->owner->ids.next())) : 0;
    const char* values[] = {reinterpret_cast<const char*>(&id)};
    const int lengths[] = {sizeof id}, formats[] = {1};
    if (!PQsendQueryPrepared(c.conn, slow ? "slow" : "main", has_id, values, lengths, formats, 1) ||
        PQflush(c.conn) != 0)
      throw std::runtime_error(PQerrorMessage(c.conn));
  }

  void read(connection& c) {
    if (!PQconsumeInput(c.conn))
      throw std::runtime_error(PQerrorMessage(c.conn));
    while (!PQisBusy(c.conn)) {
      const result_ptr r{PQgetResult(c.conn), PQclear};
      if (!r) {
        finish(c);
        return;
      }
      if (PQresultStatus(r.get()) != PGRES_TUPLES_OK)
        throw std::runtime_error(PQresultErrorMessage(r.get()));
      if (!is_slow(how_.load, c.current.index, how_.n))
        sink.fetch_add(decode(how_.load, r.get()), std::memory_order_relaxed);
    }
  }

  void finish(connection& c) {
    const auto done = c.current;
    idle_.push_back(&c);
    send_waiting();
    auto& owner = *done.request->owner;
    const bool sampled = how_.load == workload::mixed || how_.load == workload::world;
    if (sampled && !is_slow(how_.load, done.index, how_.n)) {
      const auto now = clock::now();
      if (window_.counts(now))
        owner.short_latencies_us.push_back(std::chrono::duration<float, std::micro>(now - owner.began).count());
    }
    if (--done.request->left > 0)
      return;
    const auto now = clock::now();
    if (window_.counts(now))
      owner.latencies_us.push_back(std::chrono::duration<float, std::micro>(now - owner.began).count());
    if (now < window_.until) {
      begin(*done.request);
      send_waiting();
    } else {
      --open_;
    }
  }

  const run_options& how_;
  const window& window_;
  const int epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  std::deque<connection> connections_;
  std::vector<connection*> idle_;
  std::deque<query> waiting_;
  std::vector<open_request> requests_;
  std::size_t open_ = 0;
};

} // namespace

void run_raw(const run_options& how, const window& w, std::vector<client>& clients) {
  run_loops<raw_loop>(how, w, clients);
}

} // namespace bench
