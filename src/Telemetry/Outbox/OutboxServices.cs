using Microsoft.Extensions.DependencyInjection;

namespace Dunlin.Telemetry.Outbox;

public static class OutboxServices
{
    /// <summary>Registers <see cref="MessageOutbox"/> (singleton and hosted) and <see cref="MessagePublisher"/>; the link must be registered as well.</summary>
    public static IServiceCollection AddOutbox(this IServiceCollection services, OutboxDirectories directories)
    {
        services.AddSingleton(directories);
        services.AddSingleton<MessageOutbox>();
        services.AddSingleton<MessagePublisher>();
        services.AddHostedService(provider => provider.GetRequiredService<MessageOutbox>());
        return services;
    }
}
