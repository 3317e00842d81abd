#include "node/endpoint.h"

#include <optional>

#include "node/host_port.h"

namespace tombolo::node {

using boost::asio::ip::tcp;

absl::StatusOr<tcp::endpoint> EndpointOf(const std::string& text) {
  const std::optional<HostPort> parsed = ParseHostPort(text);
  if (!parsed) return absl::InvalidArgumentError(text + " is not HOST:PORT");
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(
      parsed->host == "localhost" ? "127.0.0.1" : parsed->host, error);
  if (error) return absl::InvalidArgumentError(parsed->host + " is not a numeric address");
  return tcp::endpoint(address, parsed->port);
}

std::string NameOf(const tcp::endpoint& endpoint) {
  return HostPort{endpoint.address().to_string(), endpoint.port()}.ToString();
}

tcp::endpoint Unmapped(const tcp::endpoint& endpoint) {
  const auto& address = endpoint.address();
  if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return endpoint;
  return {boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6()),
          endpoint.port()};
}

}  // namespace tombolo::node
