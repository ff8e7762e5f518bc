// Plans as external-dns does: reads cases from standard input, one JSON object a line, and
// writes the changes of each to standard output, one line for one.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"

	log "github.com/sirupsen/logrus"
	"sigs.k8s.io/external-dns/endpoint"
	"sigs.k8s.io/external-dns/plan"
)

// input is what a plan is made from.
type input struct {
	Policy string `json:"policy"`
	// Owner is external-dns's --txt-owner-id; empty with --registry=noop.
	Owner string `json:"owner"`
	// OldOwner is external-dns's --migrate-from-txt-owner.
	OldOwner      string                   `json:"oldOwner"`
	Managed       []string                 `json:"managed"`
	Excluded      []string                 `json:"excluded"`
	DomainFilters []*endpoint.DomainFilter `json:"domainFilters"`
	Current       []*endpoint.Endpoint     `json:"current"`
	Desired       []*endpoint.Endpoint     `json:"desired"`
}

// adopt does what the TXT registry does before the planner sees a record: those of the
// former owner count as ours.
func (in *input) adopt() {
	if in.OldOwner == "" {
		return
	}
	for _, record := range in.Current {
		if record.Labels[endpoint.OwnerLabelKey] == in.OldOwner {
			record.Labels[endpoint.OwnerLabelKey] = in.Owner
		}
	}
}

func (in *input) changes() (*plan.Changes, error) {
	policy, known := plan.Policies[in.Policy]
	if !known {
		return nil, fmt.Errorf("the policy %q is unknown", in.Policy)
	}
	in.adopt()
	filters := endpoint.MatchAllDomainFilters{}
	for _, filter := range in.DomainFilters {
		filters = append(filters, filter)
	}
	planned := (&plan.Plan{
		Current:        in.Current,
		Desired:        in.Desired,
		Policies:       []plan.Policy{policy},
		DomainFilter:   filters,
		ManagedRecords: in.Managed,
		ExcludeRecords: in.Excluded,
		OwnerID:        in.Owner,
		OldOwnerID:     in.OldOwner,
	}).Calculate()
	return planned.Changes, nil
}

func run() error {
	decoder := json.NewDecoder(bufio.NewReader(os.Stdin))
	encoder := json.NewEncoder(os.Stdout)
	for {
		var in input
		if err := decoder.Decode(&in); err == io.EOF {
			return nil
		} else if err != nil {
			return fmt.Errorf("reading a case: %w", err)
		}
		changes, err := in.changes()
		if err != nil {
			return err
		}
		if err := encoder.Encode(changes); err != nil {
			return fmt.Errorf("writing changes: %w", err)
		}
	}
}

func main() {
	// Its warnings are of no use here, and there are thousands.
	log.SetLevel(log.FatalLevel)
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "planner:", err)
		os.Exit(1)
	}
}
