"""What goes on for ever, beside a test that looks at it."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any


@asynccontextmanager
async def beside(part: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run a part during the block, and cancel it at its end."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(part)
        yield
        task.cancel()
