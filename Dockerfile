FROM python:3.13-slim AS build
RUN apt-get update && apt-get install --yes --no-install-recommends binutils
WORKDIR /source
COPY .ci/constraints.txt pyproject.toml README.md ./
COPY app app
RUN pip install --no-cache-dir --no-compile --prefix /installed --constraint constraints.txt .
# Left out is what no server needs, above all the debugging symbols of compiled modules, the colours that Typer can do
# without, other databases, other servers and protocols, testing, and look-ups in DNS, since nothing is: 58 MB in all.
RUN cd /installed/lib/python3.13/site-packages \
    && rm -r rich rich-* pygments pygments-* markdown_it markdown_it_py-* mdurl mdurl-* \
        sqlalchemy/dialects/mssql sqlalchemy/dialects/mysql sqlalchemy/dialects/oracle sqlalchemy/dialects/postgresql \
        sqlalchemy/ext pydantic/v1 pydantic/mypy.py cffi pycparser pycparser-* h11 h11-* \
        aiohttp/_websocket/*.so aiohttp/web*.py aiohttp/worker.py aiohttp/pytest_plugin.py aiohttp/test_utils.py \
        anyio/_backends/_trio.py anyio/pytest_plugin.py click/testing.py click/shell_completion.py typer/rich_utils.py \
        dns/rdtypes/*/[A-Z]*.py dns/quic dns/dnssecalgs dns/async[qr]*.py dns/btree*.py dns/dnssec.py dns/message.py \
        dns/query.py dns/resolver.py dns/versioned.py dns/win32util.py dns/xfr.py dns/zone*.py \
        email_validator/__main__.py email_validator/deliverability.py multidict/_multidict_py.py starlette/testclient.py \
        ua_parser_builtins/regexes.py ua_parser_builtins/lazy.py uvicorn/protocols/websockets/*_impl.py \
        uvicorn/protocols/http/h11_impl.py uvicorn/protocols/http/zttp*_impl.py yaml/_yaml*.so \
        sqlalchemy/*/_*_cy.py aiosmtpd/docs uvloop/_testbase.py typer/testing.py pydantic/experimental/pipeline.py \
    && find . -path '*.dist-info/*' \( -name RECORD -o -name WHEEL -o -name INSTALLER \) -delete \
    && find . -path '*.dist-info/METADATA' -exec sed -i '/^$/,$d' {} + \
    && find . -depth -type d \( -name tests -o -name testing \) ! -path './mailgun_emulator/*' -exec rm -r {} + \
    && find . -type f \( -name '*.pyi' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.h' \) -delete \
    && find . -name '*.so' -exec strip --strip-unneeded {} + \
    && python -m compileall -q -j 0 --invalidation-mode unchecked-hash .

FROM python:3.13-slim
COPY --from=build /installed /usr/local
RUN mkdir /data && chown 10001:10001 /data
ENV MAILGUN_EMULATOR_HOST=0.0.0.0 \
    MAILGUN_EMULATOR_DATABASE=/data/mailgun.db \
    PYTHONUNBUFFERED=1
USER 10001:10001
VOLUME /data
EXPOSE 8025 1025
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s --start-interval=1s CMD ["mailgun-emulator", "ready"]
ENTRYPOINT ["mailgun-emulator"]
CMD ["serve"]
