//! Real handshakes, in memory, with certificates made on the spot.
