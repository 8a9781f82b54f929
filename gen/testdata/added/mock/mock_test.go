package added

import (
	"errors"
	"testing"

	"github.com/golang/mock/gomock"

	"github.com/go-reception/sdk/reception/driver"
	mocks "github.com/go-reception/sdk/reception/mock"
)

func TestAddedMocks(t *testing.T) {
	m := mocks.NewMockBackend(gomock.NewController(t))
	m.EXPECT().CountServices(gomock.Any(), gomock.Any()).Return(&driver.CountServicesResponse{Count: 2}, nil)
	m.EXPECT().UpdateAttributes(gomock.Any(), gomock.Any()).Return(nil, driver.ErrUnknown)
	m.EXPECT().PutSetting(gomock.Any(), gomock.Any())
	m.EXPECT().GetSetting(gomock.Any(), gomock.Any())
	m.EXPECT().ListSettings(gomock.Any(), gomock.Any())
	m.EXPECT().RenameSetting(gomock.Any(), gomock.Any())
	m.EXPECT().OpenWatchSettings(gomock.Any(), gomock.Any()).Return(nil, driver.ErrClosed)

	var b driver.Backend = m
	if got, err := b.CountServices(t.Context(), nil); err != nil || got.Count != 2 {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := b.UpdateAttributes(t.Context(), nil); got != nil || !errors.Is(err, driver.ErrUnknown) {
		t.Errorf("%+v, %v", got, err)
	}
	if stream, err := b.OpenWatchSettings(t.Context(), nil); stream != nil || !errors.Is(err, driver.ErrClosed) {
		t.Errorf("%+v, %v", stream, err)
	}
	_, _ = b.PutSetting(t.Context(), nil)
	_, _ = b.GetSetting(t.Context(), nil)
	_, _ = b.ListSettings(t.Context(), nil)
	_, _ = b.RenameSetting(t.Context(), nil)
}
