// For programs that use gRPC with TLS. Thread rule: once, first thing in main.
#pragma once

#include <openssl/crypto.h>

namespace tombolo::node {

// Threads of gRPC may outlive main, and use OpenSSL to the end: its clean-up at exit would take it
// from under them (github.com/grpc/grpc, issue 38539).
inline void KeepOpenSslAtExit() { OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, nullptr); }

}  // namespace tombolo::node
