# What is installed, and the Debian package. The binary is built apart from .build, with the Swift runtime inside.
PREFIX ?= /usr/local
DESTDIR ?=
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
DOCDIR ?= $(PREFIX)/share/doc/keyroll
UNITDIR ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
BASHDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR ?= $(PREFIX)/share/zsh/site-functions
FISHDIR ?= $(PREFIX)/share/fish/vendor_completions.d

RELEASE := .build-release
VERSION = $(shell sed -n 's/.*static let number = "\(.*\)"/\1/p' Sources/KeyrollCommand/Version.swift)
# The day of the last commit, or of the tarball's youngest page: the same source gives the same pages.
DAY = $(shell git log -1 --format=%cs 2>/dev/null || date -r CHANGELOG.md +%F)
UNITS := keyroll-rotate.service keyroll-rotate.timer keyroll-broker.service keyroll-broker.socket
JOBS := rotate.yaml verify.yaml reencrypt-after-compromise.yaml restore-generation.yaml keyroll.cron \
	kubernetes-cronjob.yaml kubernetes-fleet.yaml slurm-rotate.sh
# lld folds functions that are the same, and packs relocations; nothing is exported, since nothing is loaded into it.
SMALL := --static-swift-stdlib -Xswiftc -use-ld=lld -Xlinker --no-export-dynamic -Xlinker --icf=safe \
	-Xlinker -z -Xlinker pack-relative-relocs -Xlinker -s

release: setup ## the binary to install: stripped, with the Swift runtime inside
	@swift build -c release --product keyroll --scratch-path $(RELEASE) $(SMALL)
	@$(MAKE) --no-print-directory man completions

# From the binary that is there: a new command has its page and its completions with no further work.
$(RELEASE)/release/keyroll:
	@$(MAKE) --no-print-directory release

man: $(RELEASE)/release/keyroll
	@python3 packaging/manpages.py $(RELEASE)/release/keyroll $(VERSION) $(DAY) $(RELEASE)/man

completions: $(RELEASE)/release/keyroll
	@mkdir -p $(RELEASE)/completions
	for shell in bash zsh fish; do
	    $(RELEASE)/release/keyroll --generate-completion-script $$shell >$(RELEASE)/completions/$$shell
	done

install: $(RELEASE)/release/keyroll man completions ## install below PREFIX (/usr/local), for packages below DESTDIR
	@to() { install -D -m "$$1" "$$2" "$(DESTDIR)$$3"; }
	to 755 $(RELEASE)/release/keyroll $(BINDIR)/keyroll
	for page in $(RELEASE)/man/*.1; do to 644 $$page $(MANDIR)/man1/$${page##*/}; done
	to 644 $(RELEASE)/completions/bash $(BASHDIR)/keyroll
	to 644 $(RELEASE)/completions/zsh $(ZSHDIR)/_keyroll
	to 644 $(RELEASE)/completions/fish $(FISHDIR)/keyroll.fish
	for unit in $(UNITS); do
	    to 644 jobs/$$unit $(UNITDIR)/$$unit
	    sed -i 's|/usr/bin/keyroll|$(BINDIR)/keyroll|' "$(DESTDIR)$(UNITDIR)/$$unit"
	done
	to 644 packaging/keyroll.sysusers $(SYSUSERSDIR)/keyroll.conf
	for file in README.md CHANGELOG.md LICENSE docs/*.md; do to 644 $$file $(DOCDIR)/$$file; done
	for job in $(JOBS); do to 644 jobs/$$job $(DOCDIR)/jobs/$$job; done
	echo "installed keyroll $(VERSION) below $(DESTDIR)$(PREFIX)"

uninstall: ## remove what install put there; homes with keys stay
	@cd "$(DESTDIR)/" && rm -f ".$(BINDIR)/keyroll" ".$(MANDIR)"/man1/keyroll.1 ".$(MANDIR)"/man1/keyroll-*.1 \
	    ".$(BASHDIR)/keyroll" ".$(ZSHDIR)/_keyroll" ".$(FISHDIR)/keyroll.fish" ".$(SYSUSERSDIR)/keyroll.conf" \
	    $(UNITS:%=".$(UNITDIR)/%")
	rm -rf ".$(DOCDIR)"

deb: release ## a Debian package, in .build-release
	@.ci/install dpkg-dev
	packaging/debian/build.sh $(RELEASE) $(VERSION)

# On the package as it was just built: installed, used, upgraded and purged in a throw-away copy of this machine.
test-packaging: deb
	@.ci/install man-db groff-base mandoc zsh fish
	Tests/packaging/manuals.sh $(RELEASE)/release/keyroll $(RELEASE)/man
	Tests/packaging/completions.sh $(RELEASE)/completions
	Tests/packaging/install.sh
	Tests/packaging/deb.sh $(RELEASE)/keyroll_$(VERSION)_$$(dpkg --print-architecture).deb
