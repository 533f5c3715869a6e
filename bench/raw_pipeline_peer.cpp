// SPDX-License-Identifier: BSD-3-Clause
//
// The lookups of each request one behind the other on one connection, as a libpq pipeline (libpq manual, 34.5): the
// limit that packs are measured against. A connection carries one request at a time. `pipeline` has one sync for each
// request, so the server may keep the answers until it comes there; `pipeline_each` has one after each lookup, as
// statements have that must not fail together, and libpq before 17 writes to the socket at each.

#include "raw_libpq.hpp"

#include <arpa/inet.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <deque>
#include <utility>

namespace bench {

namespace {

class pipeline_loop {
public:
  pipeline_loop(const run_options& how, const window& w, std::size_t connections, const std::vector<client*>& clients)
    : how_(how), window_(w), clients_(clients) {
    for (std::size_t i = 0; i < connections; ++i)
      open();
  }

  ~pipeline_loop() { ::close(epoll_); }

  pipeline_loop(const pipeline_loop&) = delete;
  pipeline_loop& operator=(const pipeline_loop&) = delete;

  void run() {
    open_ = clients_.size();
    for (auto* c : clients_)
      begin(*c);
    send_waiting();
    epoll_event events[64];
    while (open_ > 0) {
      const int n = ::epoll_wait(epoll_, events, 64, -1);
      for (int i = 0; i < n; ++i) {
        auto& c = *static_cast<connection*>(events[i].data.ptr);
        read(c);
        flush(c);
      }
    }
  }

private:
  struct connection : raw_connection {
    using raw_connection::raw_connection;

    client* owner = nullptr; ///< Of the request that it carries.
    std::size_t syncs_left = 0;
    bool waits_to_write = false;
  };

  void open() {
    auto& c = connections_.emplace_back(how_.conninfo);
    c.prepare("main", std::string{world_sql} + "$1::int4");
    PQsetnonblocking(c.conn, 1);
    if (!PQenterPipelineMode(c.conn))
      throw std::runtime_error(PQerrorMessage(c.conn));
    epoll_event e{.events = EPOLLIN, .data = {.ptr = &c}};
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, PQsocket(c.conn), &e);
    idle_.push_back(&c);
  }

  void begin(client& owner) {
    owner.began = clock::now();
    waiting_.push_back(&owner);
  }

  void send_waiting() {
    while (!idle_.empty() && !waiting_.empty()) {
      auto& c = *idle_.back();
      idle_.pop_back();
      c.owner = waiting_.front();
      waiting_.pop_front();
      send(c);
    }
  }

  void send(connection& c) {
    bool sent = true;
    for (std::size_t i = 0; i < how_.n; ++i) {
      const auto id = htonl(static_cast<std::uint32_t>(c.owner->ids.next()));
      const char* values[] = {reinterpret_cast<const char*>(&id)};
      const int lengths[] = {sizeof id}, formats[] = {1};
      sent = sent && PQsendQueryPrepared(c.conn, "main", 1, values, lengths, formats, 1) &&
             (!has_sync_each_ || PQpipelineSync(c.conn));
    }
    if (!sent || (!has_sync_each_ && !PQpipelineSync(c.conn)))
      throw std::runtime_error(PQerrorMessage(c.conn));
    c.syncs_left = has_sync_each_ ? how_.n : 1;
    flush(c);
  }

  /// A request of many lookups may be more than the socket takes at once.
  void flush(connection& c) {
    const int left = PQflush(c.conn);
    if (left < 0)
      throw std::runtime_error(PQerrorMessage(c.conn));
    if (c.waits_to_write == (left > 0))
      return;
    c.waits_to_write = left > 0;
    epoll_event e{.events = left > 0 ? std::uint32_t{EPOLLIN | EPOLLOUT} : std::uint32_t{EPOLLIN}, .data = {.ptr = &c}};
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, PQsocket(c.conn), &e);
  }

  void read(connection& c) {
    if (!PQconsumeInput(c.conn))
      throw std::runtime_error(PQerrorMessage(c.conn));
    while (c.owner && !PQisBusy(c.conn)) {
      const result_ptr r{PQgetResult(c.conn), PQclear};
      if (!r) // a lookup's end; the next one's answer may be there as well
        continue;
      switch (PQresultStatus(r.get())) {
      case PGRES_TUPLES_OK:
        take(*c.owner, r.get());
        break;
      case PGRES_PIPELINE_SYNC:
        if (--c.syncs_left == 0)
          finish(c);
        break;
      default:
        throw std::runtime_error(PQresultErrorMessage(r.get()));
      }
    }
  }

  void take(client& owner, const PGresult* r) const {
    sink.fetch_add(decode_world(r), std::memory_order_relaxed);
    const auto now = clock::now();
    if (window_.counts(now))
      owner.short_latencies_us.push_back(std::chrono::duration<float, std::micro>(now - owner.began).count());
  }

  void finish(connection& c) {
    auto& owner = *std::exchange(c.owner, nullptr);
    idle_.push_back(&c);
    const auto now = clock::now();
    if (window_.counts(now))
      owner.latencies_us.push_back(std::chrono::duration<float, std::micro>(now - owner.began).count());
    if (now < window_.until)
      begin(owner);
    else
      --open_;
    send_waiting();
  }

  const run_options& how_;
  const window& window_;
  const std::vector<client*> clients_;
  const bool has_sync_each_ = how_.peer == "pipeline_each";
  const int epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  std::deque<connection> connections_;
  std::vector<connection*> idle_;
  std::deque<client*> waiting_;
  std::size_t open_ = 0;
};

} // namespace

void run_pipeline(const run_options& how, const window& w, std::vector<client>& clients) {
  run_loops<pipeline_loop>(how, w, clients);
}

} // namespace bench
