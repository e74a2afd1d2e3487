"""The page without the headers that its server adds: what it shows must be harmless by itself."""

from __future__ import annotations

import app

app.main()
