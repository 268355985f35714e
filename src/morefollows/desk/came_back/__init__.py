"""What came back: counts, floods of bounces, replies of readers, and judgements to correct."""
