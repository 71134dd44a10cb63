"""The floor of start and memory: a FastAPI application with one route."""

from fastapi import FastAPI

from tests.benchmarks.serving import serve

app = FastAPI()


@app.get("/")
async def hello() -> dict[str, str]:
    return {"message": "hello"}


if __name__ == "__main__":
    serve(app)
