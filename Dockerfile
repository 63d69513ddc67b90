FROM node:20-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
RUN npm run build && npm prune --omit=dev

FROM node:20-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
# Everything here belongs to root: the program cannot change itself.
USER node
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "dist/bin/nexa.js"]
CMD ["--help"]
