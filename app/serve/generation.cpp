// SPDX-License-Identifier: BSD-3-Clause

#include "app/serve/generation.hpp"

#include "app/base/exit.hpp"
#include "app/scenario/runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace sheaf::app::serve {

namespace {

std::size_t loops_for(const serve_setup& how, const sheaf_file& file) {
  constexpr std::size_t usual_max = 4;
  std::size_t n = std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, usual_max);
  for (const auto& d : file.databases)
    n = std::min(n, d.pool.max_size);
  return how.loops > 0 ? how.loops : n;
}

std::unique_ptr<engine> make_own_sessions(const serve_setup& how, const sheaf_file& file) {
  options all;
  all.databases = file.databases;
  all.loops = loops_for(how, file);
  all.logger = how.events;
  return make_engine(std::move(all));
}

/// Waiting for the only session is the point of it.
std::unique_ptr<engine> make_shared_session(const serve_setup& how, const sheaf_file& file) {
  options all;
  all.databases = file.databases;
  all.logger = how.events;
  for (auto& d : all.databases) {
    d.pool.max_size = 1;
    d.pool.min_size = 0;
    d.pack = packing::never;
    d.pool.acquire_timeout = std::max(d.pool.acquire_timeout, all.deadline);
  }
  return make_engine(std::move(all));
}

std::unique_ptr<boost::asio::ssl::context> make_tls(const serve_setup& how) {
  namespace ssl = boost::asio::ssl;
  if (how.tls_cert.empty())
    return nullptr;
  auto made = std::make_unique<ssl::context>(ssl::context::tls_server);
  made->set_options(ssl::context::default_workarounds | ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1 |
                    ssl::context::no_compression);
  // TLS 1.2 with keys that nobody can find out later, and with authenticated ciphers (RFC 9325, section 4.2); those of
  // TLS 1.3 all are such.
  SSL_CTX_set_cipher_list(made->native_handle(), "ECDHE+AESGCM:ECDHE+CHACHA20");
  SSL_CTX_set_mode(made->native_handle(), SSL_MODE_RELEASE_BUFFERS);
  boost::system::error_code why;
  made->use_certificate_chain_file(how.tls_cert, why);
  if (why)
    bad_input(fmt::format("--tls-cert: {}: {}", how.tls_cert, why.message()));
  made->use_private_key_file(how.tls_key, ssl::context::pem, why);
  if (why || SSL_CTX_check_private_key(made->native_handle()) != 1)
    bad_input(fmt::format("--tls-key: {}: {}", how.tls_key, why ? why.message() : "it is not the certificate's"));
  return made;
}

/// Copies of a descriptor, all of them or none. Those that nobody has taken are closed.
class copies_of {
public:
  copies_of(int fd, std::size_t count) {
    while (all_.size() < count) {
      const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
      if (copy < 0)
        break;
      all_.push_back(copy);
    }
    const int error = errno;
    if (all_.size() == count)
      return;
    close_all();
    throw std::system_error(error, std::generic_category(), "the listening socket");
  }
  ~copies_of() { close_all(); }
  copies_of(const copies_of&) = delete;
  copies_of& operator=(const copies_of&) = delete;

  int take() {
    const int one = all_.back();
    all_.pop_back();
    return one;
  }

private:
  void close_all() {
    for (const int one : all_)
      ::close(one);
  }

  std::vector<int> all_;
};

} // namespace

generation::generation(const serve_setup& how, sheaf_file file, int listener, handover& way, traffic& counts,
                       activity& seen, int wake)
  : file_(std::move(file)), tls_(make_tls(how)), own_sessions_(make_own_sessions(how, file_)),
    shared_session_(make_shared_session(how, file_)) {
  auto rules = how.rules;
  rules.tls = tls_.get();
  service_ = std::make_unique<service>(file_, how.shortcuts, *own_sessions_, *shared_session_, how.limits,
                                       std::move(rules), counts, seen, how.log);
  copies_of copies{listener, loops_for(how, file_)};
  own_sessions_->run_on_each_loop([&](boost::asio::io_context& context) {
    const int copy = copies.take();
    loops_.push_back(std::make_unique<http_loop>(context, *service_, copy, way, [this, wake] {
      if (--busy_loops_ == 0) {
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto written = ::write(wake, &one, sizeof one);
      }
      busy_loops_.notify_all();
    }));
    ++busy_loops_;
  });
}

generation::~generation() {
  stop(clock::now());
  for (auto left = busy_loops_.load(); left > 0; left = busy_loops_.load())
    busy_loops_.wait(left);
  auto loop = loops_.begin();
  own_sessions_->run_on_each_loop([&](boost::asio::io_context&) { (loop++)->reset(); });
}

std::vector<client_taker*> generation::loops() const {
  std::vector<client_taker*> all;
  for (const auto& x : loops_)
    all.push_back(x.get());
  return all;
}

void generation::retire() {
  auto loop = loops_.begin();
  own_sessions_->run_on_each_loop([&](boost::asio::io_context&) { (*loop++)->retire(); });
}

void generation::stop(clock::time_point deadline) {
  auto loop = loops_.begin();
  own_sessions_->run_on_each_loop([&](boost::asio::io_context&) { (*loop++)->stop(deadline); });
}

} // namespace sheaf::app::serve
