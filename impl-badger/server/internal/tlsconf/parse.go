package tlsconf

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

func parseAuthorities(text []byte) ([]*x509.Certificate, error) {
	var found []*x509.Certificate
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("expected certificates of authorities, found a block %q", block.Type)
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("an authority's certificate is unreadable: %w", err)
		}
		if !certificate.IsCA {
			return nil, errors.New("expected certificates of authorities, found one that may sign nothing")
		}
		found = append(found, certificate)
	}
	if len(found) == 0 || len(bytes.TrimSpace(text)) > 0 {
		return nil, errors.New("expected certificates of authorities in PEM, and nothing else")
	}
	return found, nil
}

// denyList has serial numbers and fingerprints in hex, without leading zeros.
type denyList map[string]bool

const fingerprintDigits = 64

func parseDenyList(text []byte) (denyList, error) {
	list := denyList{}
	for i, line := range strings.Split(string(text), "\n") {
		entry := strings.TrimSpace(strings.SplitN(line, "#", 2)[0])
		if entry == "" {
			continue
		}
		digits := strings.ToLower(strings.NewReplacer(":", "", " ", "").Replace(entry))
		number, ok := new(big.Int).SetString(digits, 16)
		if !ok || number.Sign() < 0 || len(digits) > fingerprintDigits {
			return nil, fmt.Errorf("line %d of the deny list: expected a serial number or a SHA-256 fingerprint in hex", i+1)
		}
		list[number.Text(16)] = true
	}
	return list, nil
}

func (l denyList) has(certificate *x509.Certificate) bool {
	fingerprint, _ := new(big.Int).SetString(Fingerprint(certificate), 16)
	return l[certificate.SerialNumber.Text(16)] || l[fingerprint.Text(16)]
}
