// SPDX-License-Identifier: BSD-3-Clause

#include "support/packet.hpp"

#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>

namespace sheaf::test {

namespace {

/// A header that begins at `at`, or nothing where the packet is too short for it.
template <class Header>
std::optional<Header> header(std::string_view packet, std::size_t at) {
  Header x;
  if (packet.size() < at + sizeof x)
    return {};
  std::memcpy(&x, packet.data() + at, sizeof x);
  return x;
}

template <class Header>
void append(std::string& packet, const Header& x) {
  packet.append(reinterpret_cast<const char*>(&x), sizeof x);
}

/// The Internet's checksum (RFC 1071), in network order.
std::uint16_t checksum(std::string_view bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    std::uint16_t word = 0;
    std::memcpy(&word, bytes.data() + i, std::min<std::size_t>(2, bytes.size() - i));
    sum += word;
  }
  while (sum > 0xffff)
    sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

std::size_t size_of(const iphdr& ip) { return ip.ihl * std::size_t{4}; }

/// A packet back to the sender of the one that `asked` heads.
std::string answer_to(const iphdr& asked, std::uint8_t protocol, std::string_view content) {
  iphdr ip{};
  ip.version = 4;
  ip.ihl = sizeof ip / 4;
  ip.tot_len = htons(static_cast<std::uint16_t>(sizeof ip + content.size()));
  ip.ttl = IPDEFTTL;
  ip.protocol = protocol;
  ip.saddr = asked.daddr;
  ip.daddr = asked.saddr;
  ip.check = checksum({reinterpret_cast<const char*>(&ip), sizeof ip});
  std::string made;
  append(made, ip);
  return made.append(content);
}

} // namespace

bool is_ipv4(std::string_view packet) noexcept {
  const auto ip = header<iphdr>(packet, 0);
  return ip && ip->version == 4 && size_of(*ip) >= sizeof(iphdr) && packet.size() >= size_of(*ip);
}

std::string reset_of(std::string_view packet) {
  if (!is_ipv4(packet))
    return {};
  const auto ip = *header<iphdr>(packet, 0);
  const auto asked = header<tcphdr>(packet, size_of(ip));
  if (ip.protocol != IPPROTO_TCP || !asked || asked->rst)
    return {};
  tcphdr tcp{};
  tcp.source = asked->dest;
  tcp.dest = asked->source;
  tcp.doff = sizeof tcp / 4;
  tcp.rst = 1;
  if (asked->ack) {
    tcp.seq = asked->ack_seq;
  } else {
    const auto bytes = packet.size() - size_of(ip) - asked->doff * std::size_t{4};
    tcp.ack = 1;
    tcp.ack_seq = htonl(static_cast<std::uint32_t>(ntohl(asked->seq) + asked->syn + asked->fin + bytes));
  }
  std::string summed; // with a head of its own
  append(summed, ip.daddr);
  append(summed, ip.saddr);
  append(summed, htons(IPPROTO_TCP));
  append(summed, htons(sizeof tcp));
  append(summed, tcp);
  tcp.check = checksum(summed);
  return answer_to(ip, IPPROTO_TCP, {reinterpret_cast<const char*>(&tcp), sizeof tcp});
}

std::string unreachable_of(std::string_view packet) {
  if (!is_ipv4(packet))
    return {};
  const auto ip = *header<iphdr>(packet, 0);
  if (ip.protocol == IPPROTO_ICMP)
    return {};
  icmphdr icmp{};
  icmp.type = ICMP_DEST_UNREACH;
  icmp.code = ICMP_HOST_UNREACH;
  std::string content;
  append(content, icmp);
  content.append(packet.substr(0, size_of(ip) + 8)); // its ports and its sequence number are in these eight
  icmp.checksum = checksum(content);
  std::memcpy(content.data(), &icmp, sizeof icmp);
  return answer_to(ip, IPPROTO_ICMP, content);
}

} // namespace sheaf::test
