#include "node/network_key.h"

#include <gtest/gtest.h>

#include <string>

namespace tombolo::node {
namespace {

using Side = NetworkKey::Side;

NodeId Id(std::uint32_t number) { return {{number, 0, 0, 0, 0}}; }

const NetworkKey& Key() {
  static const NetworkKey key = NetworkKey::FromBytes(std::string(32, 'k')).value();
  return key;
}

LinkTranscript Link() { return {Id(1), Id(2), std::string(32, 'a'), std::string(32, 'b')}; }

TEST(NetworkKeyTest, BothSidesProofsAreAccepted) {
  EXPECT_TRUE(Key().Verify(Side::kDialler, Link(), Key().Proof(Side::kDialler, Link())));
  EXPECT_TRUE(Key().Verify(Side::kListener, Link(), Key().Proof(Side::kListener, Link())));
}

TEST(NetworkKeyTest, ProofIsOfOneSideOnly) {
  EXPECT_FALSE(Key().Verify(Side::kDialler, Link(), Key().Proof(Side::kListener, Link())));
}

TEST(NetworkKeyTest, AnotherKeyProvesNothing) {
  const NetworkKey other = NetworkKey::FromBytes(std::string(32, 'o')).value();
  EXPECT_FALSE(Key().Verify(Side::kDialler, Link(), other.Proof(Side::kDialler, Link())));
}

TEST(NetworkKeyTest, ProofIsOfOnePairAndOneLinkOnly) {
  const std::string proof = Key().Proof(Side::kDialler, Link());
  LinkTranscript other = Link();
  other.dialler = Id(3);
  EXPECT_FALSE(Key().Verify(Side::kDialler, other, proof));
  other = Link();
  other.listener = Id(3);
  EXPECT_FALSE(Key().Verify(Side::kDialler, other, proof));
  other = Link();
  other.dialler_nonce[0] = 'x';
  EXPECT_FALSE(Key().Verify(Side::kDialler, other, proof));
  other = Link();
  other.listener_nonce[31] = 'x';
  EXPECT_FALSE(Key().Verify(Side::kDialler, other, proof));
}

TEST(NetworkKeyTest, NoncesOfTheWrongLengthAreRefused) {
  LinkTranscript shifted = Link();
  shifted.dialler_nonce.pop_back();
  shifted.listener_nonce.push_back('b');
  EXPECT_FALSE(Key().Verify(Side::kDialler, shifted, Key().Proof(Side::kDialler, shifted)));
}

TEST(NetworkKeyTest, EmptyAndShortProofsAreRefused) {
  EXPECT_FALSE(Key().Verify(Side::kDialler, Link(), ""));
  EXPECT_FALSE(
      Key().Verify(Side::kDialler, Link(), Key().Proof(Side::kDialler, Link()).substr(0, 31)));
}

TEST(NetworkKeyTest, KeysMustBeLongEnough) {
  EXPECT_FALSE(NetworkKey::FromBytes("").ok());
  EXPECT_FALSE(NetworkKey::FromBytes(std::string(31, 'k') + "\n\n\n").ok());
  EXPECT_TRUE(NetworkKey::FromBytes(std::string(32, 'k') + "\n").ok());
  EXPECT_FALSE(NetworkKey::FromBytes(std::string(1025, 'k')).ok());
}

TEST(NetworkKeyTest, NoncesDiffer) { EXPECT_NE(MakeNonce(), MakeNonce()); }

}  // namespace
}  // namespace tombolo::node
