// SPDX-License-Identifier: BSD-3-Clause
//
// Compresses an answer as it is written, when the client takes that. One thread at a time.

#pragma once

#include <memory>
#include <string>
#include <string_view>

struct z_stream_s;

namespace sheaf::app::serve {

/// True when an Accept-Encoding field allows gzip and does not like the plain bytes better (RFC 9110, section 12.5.3).
bool takes_gzip(std::string_view accept_encoding);

class gzip {
public:
  gzip();

  /// Appends `in`, compressed, to `out`; not all of it may come before the last piece.
  void add(std::string& out, std::string_view in, bool is_last);

private:
  struct end {
    void operator()(z_stream_s* x) const noexcept;
  };
  std::unique_ptr<z_stream_s, end> state_;
};

} // namespace sheaf::app::serve
