import ERITestSupport

/// Bytes that start at a multiple of 4, as packed weights and scratch do.
func wordAligned(_ bytes: Int) -> GuardedArray<UInt8> { GuardedArray((bytes + 3) / 4 * 4) }
