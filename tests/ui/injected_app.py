"""The real app for a browser test without models: whatever the home's conversations hold is shown."""

from __future__ import annotations

import app
from ui.resources import Services

Services.missing_models = lambda self: []  # type: ignore[method-assign]
app.main()
