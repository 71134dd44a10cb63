FROM python:3.13-slim AS build
WORKDIR /source
COPY .ci/constraints.txt ./
# The dependencies first, so that a change of the program alone does not install them again.
COPY pyproject.toml README.md ./
COPY app app
RUN pip install --no-cache-dir --no-compile --prefix /installed --constraint constraints.txt .
# What no server needs: tests, sources of compiled modules, type stubs, SQLAlchemy's other databases' tests.
RUN cd /installed/lib/python3.13/site-packages \
    && find . -depth -type d \( -name tests -o -name testing \) -exec rm -r {} + \
    && find . -type f \( -name '*.pyi' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.c' -o -name '*.h' \) -delete \
    && du -sm --total * | sort -n | tail -20 && python -m compileall -q -j 0 --invalidation-mode unchecked-hash .

FROM python:3.13-slim
COPY --from=build /installed /usr/local
RUN mkdir /data && chown 10001:10001 /data
ENV MAILGUN_EMULATOR_HOST=0.0.0.0 \
    MAILGUN_EMULATOR_DATABASE=/data/mailgun.db \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
VOLUME /data
EXPOSE 8025
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s --start-interval=1s CMD ["mailgun-emulator", "ready"]
ENTRYPOINT ["mailgun-emulator"]
CMD ["serve"]
