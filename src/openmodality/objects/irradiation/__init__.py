"""What an X-ray exposure did: irradiation events, as whoever made them states them, and their totals."""
