package reception

import (
	"maps"

	"github.com/google/uuid"
)

// MakeService returns a service with a random UUID as its ID, ready to be registered. It reports ErrInvalidService
// where [Client.Register] would. The attributes are copied.
func MakeService(name, address string, port int, attributes Attributes) (*Service, error) {
	service := &Service{
		ID:         uuid.NewString(),
		Name:       name,
		Address:    address,
		Port:       port,
		Attributes: maps.Clone(attributes),
	}
	if err := validateRegister(service); err != nil {
		return nil, err
	}
	return service, nil
}

// copyService copies a service for the caller to keep and change.
func copyService(service *Service) *Service {
	copied := *service
	copied.Attributes = maps.Clone(service.Attributes)
	return &copied
}
