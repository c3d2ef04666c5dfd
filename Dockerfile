FROM node:22-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run build

FROM node:22-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund

FROM node:22-slim
# Without authentication the server refuses to be reached from outside its container;
# EPOCHCAST_ALLOW_ANONYMOUS=1 permits it, for use behind something that authenticates.
ENV NODE_ENV=production HOST=0.0.0.0 PORT=4000 EPOCHCAST_DATA=/data
# Shorter pauses for what viewers wait for, see docs/operations.md.
ENV NODE_OPTIONS="--max-semi-space-size=4 --v8-pool-size=1"
WORKDIR /app
COPY package.json LICENSE schema.graphql ./
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist/package.json dist/package.json
COPY --from=build /app/dist/src dist/src
COPY --from=build /app/dist/clients dist/clients
COPY --from=build /app/dist/dashboard dist/dashboard
# Tasks are kept here, unless there is a REDIS_URL.
RUN mkdir /data && chown node:node /data
VOLUME /data
USER node
EXPOSE 4000
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/src/main.js", "serve"]
