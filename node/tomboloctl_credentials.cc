#include "node/tomboloctl_credentials.h"

#include <fstream>
#include <map>
#include <sstream>
#include <utility>

namespace tombolo::node {
namespace {

absl::StatusOr<std::string> ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return absl::NotFoundError("cannot read " + path);
  return text.str();
}

class Bearer final : public grpc::MetadataCredentialsPlugin {
 public:
  explicit Bearer(std::string token) : token_(std::move(token)) {}
  bool IsBlocking() const override { return false; }
  grpc::Status GetMetadata(grpc::string_ref, grpc::string_ref, const grpc::AuthContext&,
                           std::multimap<grpc::string, grpc::string>* metadata) override {
    metadata->emplace("authorization", "Bearer " + token_);
    return grpc::Status::OK;
  }

 private:
  const std::string token_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> MakeCredentials(
    const std::string& ca, const std::string& token_file) {
  if (ca.empty()) {
    if (token_file.empty()) return grpc::InsecureChannelCredentials();
    return absl::InvalidArgumentError("--token-file needs --ca: a token is for TLS only");
  }
  const absl::StatusOr<std::string> roots = ReadAll(ca);
  if (!roots.ok()) return roots.status();
  std::shared_ptr<grpc::ChannelCredentials> channel = grpc::SslCredentials({*roots, "", ""});
  if (token_file.empty()) return channel;
  const absl::StatusOr<std::string> token = ReadAll(token_file);
  if (!token.ok()) return token.status();
  auto bearer = std::make_unique<Bearer>(token->substr(0, token->find_first_of("\r\n")));
  return grpc::CompositeChannelCredentials(channel,
                                           grpc::MetadataCredentialsFromPlugin(std::move(bearer)));
}

}  // namespace tombolo::node
