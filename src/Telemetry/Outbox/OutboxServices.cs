using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Telemetry.Outbox;

public static class OutboxServices
{
    /// <summary>Registers <see cref="MessageOutbox"/> (singleton and hosted); the link and <see cref="OutboxDirectories"/> must be registered as well.</summary>
    public static IServiceCollection AddOutbox(this IServiceCollection services)
    {
        services.AddSingleton<MessageOutbox>();
        services.AddHostedService(provider => provider.GetRequiredService<MessageOutbox>());
        return services;
    }
}
