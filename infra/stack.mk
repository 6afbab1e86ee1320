# The compose stack; docs/stack.md explains it.
COMPOSE ?= docker compose
STACK = $(COMPOSE) --project-directory infra -f infra/docker-compose.yml

.PHONY: up down logs backup restore

infra/.env:
	python3 infra/k8s/make_secrets.py compose

up: infra/.env ## start the compose stack; returns when a run can be logged
	$(STACK) up -d --build --wait --wait-timeout 300
	@echo "MLflow:     http://127.0.0.1:5000   user and password: MLFLOW_TRACKING_* in infra/.env"
	@echo "JupyterLab: http://127.0.0.1:8888   token: JUPYTER_TOKEN in infra/.env"

down: ## stop the compose stack; its data stay
	$(STACK) down

logs: ## follow the stack's logs
	$(STACK) logs -f --tail 50

backup: ## copy runs and artifacts into backups/<time>
	COMPOSE="$(COMPOSE)" infra/backup.sh

restore: ## bring a copy back: make restore FROM=backups/<time>
	COMPOSE="$(COMPOSE)" infra/restore.sh "$(FROM)"
